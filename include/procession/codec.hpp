/// How values become bytes and bytes become values again.
///
/// These can be sent as they are: numbers, enums, std::string, vector (of bool too), array, deque,
/// list, optional, variant, tuple, pair, map and set with their multi and unordered kin,
/// unique_ptr, chrono durations and time points, filesystem::path, arrays in structs, and structs
/// of all those with nothing declared:
///
///     struct Job {
///       int id;
///       std::vector<std::string> files;
///       std::optional<double> limit;
///     };
///     mp::BufferEncoder encoder;
///     mp::encode(encoder, Job{7, {"a", "b"}, {}});
///     mp::Decoder decoder(encoder.bytes());
///     Job job = mp::decode<Job>(decoder);
///
/// A class with private members says how, in its own namespace or as hidden friends:
///
///     class Account {
///       friend void encode(mp::Encoder& encoder, const Account& account) {
///         mp::encode(encoder, account.balance_);
///       }
///       friend void decode(mp::Decoder& decoder, Account& account) {
///         mp::decode(decoder, account.balance_);
///       }
///       long balance_ = 0;
///     };
///
/// Everything else is refused by the compiler, in one line that names the type. Values come back by
/// default construction and assignment of their parts, so a struct's fields must allow that.
///
/// The bytes are for programs that have the same types on machines of one kind: little endian,
/// sizes as the compiler has them, no tags. Where programs meet, they compare fingerprints of the
/// types first. Decoding believes none of them: it ends in a value or in `DecodeError`, takes no
/// more memory than the value of a message of that size can need, and does not nest deeper than
/// `detail::kMaxNesting`. Of an enum, any value of its underlying type arrives, named or not.
#pragma once

#include <bit>
#include <new>
#include <stdexcept>
#include <type_traits>

#include "procession/detail/codec_refusal.hpp"
#include "procession/detail/codec_stored.hpp"
#include "procession/detail/decode_value.hpp"
#include "procession/detail/encode_value.hpp"
#include "procession/detail/fingerprint.hpp"

namespace procession {

static_assert(std::endian::native == std::endian::little,
              "procession: the codec copies numbers as they lie in memory, little endian");

/// Whether values of T can be sent and received, down to the last part of them.
template <class T>
concept Encodable = std::is_object_v<T> && detail::encodable<std::remove_cv_t<T>>();

// Argument-dependent lookup ignores using-directives, so it does not find these functions, and a
// user's own `encode` and `decode` never compete with them.
namespace codec_functions {

/// Appends `value` to what `encoder` has. Takes Encodable types, and what only looks at such values
/// (`const char*`, string_view, span and other contiguous ranges), which arrive as `Stored<T>`;
/// does not compile for others. Throws `std::invalid_argument` for a value nested too deeply, a
/// variant without a value and a null `const char*`, and whatever the encoder throws when it has no
/// more room; then the encoder holds part of the value.
template <class T>
void encode(Encoder& encoder, const T& value) {
  if constexpr (Encodable<T>) {
    detail::encode_value(encoder, value);
  } else if constexpr (std::is_same_v<T, const char*> || std::is_same_v<T, char*>) {
    if (value == nullptr) {
      detail::throw_null_text();
    }
    detail::encode_range(encoder, std::string_view(value));
  } else if constexpr (Encodable<Stored<T>>) {
    if constexpr (std::is_same_v<Stored<T>, std::vector<bool>>) {
      detail::encode_bits(encoder, value);
    } else {
      detail::encode_range(encoder, value);
    }
  } else {
    detail::refuse<T>();
  }
}

/// Replaces `value` by the next value in `decoder`. Throws `DecodeError` when the bytes are no
/// encoding of a T or there is not the memory for it; `value` is then valid, with unspecified
/// contents.
template <class T>
void decode(Decoder& decoder, T& value) {
  if constexpr (Encodable<T>) {
    const detail::DecodingScope<detail::holds_handles<T>()> scope;
    try {
      detail::decode_value(decoder, value);
    } catch (const std::bad_alloc&) {
      detail::throw_no_memory(type_name<T>());
    } catch (const std::length_error&) {
      detail::throw_no_memory(type_name<T>());
    }
  } else {
    detail::refuse<T>();
  }
}

/// The next value in `decoder`. Throws as the above.
template <class T>
T decode(Decoder& decoder) {
  if constexpr (Encodable<T> && std::is_default_constructible_v<T>) {
    const detail::DecodingScope<detail::holds_handles<T>()> scope;
    T value = T();  // not {}: default constructors of fields may be explicit
    codec_functions::decode(decoder, value);
    return value;
  } else {
    detail::refuse<T>();
  }
}

}  // namespace codec_functions

using namespace codec_functions;

}  // namespace procession
