#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>

#include "procession/detail/codec_errors.hpp"
#include "procession/detail/codec_nesting.hpp"
#include "procession/detail/codec_traits.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/detail/copy_guard.hpp"
#include "procession/detail/decoder.hpp"

// Decoding: the mirror of encode_value.hpp. Nothing read is believed. A value is decoded where it
// will stay, never into a temporary first, so that deep nesting costs little of the stack whatever
// the size of the type.
namespace procession::detail {

template <class T>
void decode_value(Decoder& decoder, T& value);

template <class T>
T decode_bytes_of(Decoder& decoder) {
  T value;
  decoder.read(&value, sizeof(value));
  return value;
}

inline std::uint8_t decode_byte(Decoder& decoder) { return decode_bytes_of<std::uint8_t>(decoder); }

/// A byte that must be 0 or 1. `Of` is what it belongs to.
template <class Of>
bool decode_flag(Decoder& decoder) {
  const std::uint8_t byte = decode_byte(decoder);
  if (byte > 1) {
    throw_bad_byte(type_name<Of>(), byte, "0 or 1");
  }
  return byte == 1;
}

/// The zero byte of something empty.
template <class Of>
void decode_empty(Decoder& decoder) {
  const std::uint8_t byte = decode_byte(decoder);
  if (byte != 0) {
    throw_bad_byte(type_name<Of>(), byte, "0");
  }
}

/// The length of an `Of` with elements of at least `element_bytes` bytes: never more than remain.
template <class Of>
std::size_t decode_length(Decoder& decoder, std::size_t element_bytes) {
  const auto length = decode_bytes_of<std::uint64_t>(decoder);
  if (length > decoder.remaining() / element_bytes) {
    throw_bad_length(type_name<Of>(), length, element_bytes, decoder.remaining());
  }
  return static_cast<std::size_t>(length);
}

template <class Element>
inline constexpr std::size_t kElementBytes = min_size<Element>() == 0 ? 1 : min_size<Element>();

template <class Element>
void decode_element(Decoder& decoder, Element& element) {
  if constexpr (min_size<Element>() == 0) {
    decode_empty<Element>(decoder);
  }
  decode_value(decoder, element);
}

/// Makes room for `count` elements, unless that takes much more memory than there are bytes left to
/// fill it: then growing on the way costs less than a wrong length would.
template <class Container, class Element>
void reserve_for(Container& container, std::size_t count, const Decoder& decoder) {
  if constexpr (requires { container.reserve(count); }) {
    constexpr std::size_t kAlways = 4096;
    const std::size_t most = std::max(kAlways, 4 * decoder.remaining()) / sizeof(Element);
    container.reserve(std::min(count, most));
  }
}

/// A contiguous container of elements whose bytes are copied. It grows by pieces that stay in the
/// cache, because each piece is written twice: by `resize` and by the copy.
template <class T>
void decode_run(Decoder& decoder, T& value, std::size_t count) {
  using Element = typename T::value_type;
  constexpr std::size_t kPiece = std::max<std::size_t>(1, 16384 / sizeof(Element));
  std::size_t done = 0;
  if (value.size() >= count) {
    value.resize(count);
    decoder.read(static_cast<void*>(value.data()), count * sizeof(Element));
    return;
  }
  value.clear();
  value.reserve(count);
  while (done != count) {
    const std::size_t piece = std::min(kPiece, count - done);
    value.resize(done + piece);
    decoder.read(static_cast<void*>(value.data() + done), piece * sizeof(Element));
    done += piece;
  }
}

/// The same of elements of one byte each, which need not be written twice.
template <class T>
void decode_byte_run(Decoder& decoder, T& value, std::size_t count) {
  const auto* bytes = reinterpret_cast<const typename T::value_type*>(decoder.take(count).data());
  assign_bytes(value, bytes, count);
}

template <class T>
concept ContiguousStorage = requires(T& value, std::size_t size) {
  value.data();
  value.resize(size);
  value.reserve(size);
} && kBitwise<typename T::value_type>;

template <class T>
void decode_sequence(Decoder& decoder, T& value) {
  using Element = typename T::value_type;
  const std::size_t count = decode_length<T>(decoder, kElementBytes<Element>);
  if constexpr (ContiguousStorage<T>) {
    if constexpr (sizeof(Element) == 1 &&
                  (std::is_integral_v<Element> || std::is_same_v<Element, std::byte>)) {
      decode_byte_run(decoder, value, count);
    } else {
      decode_run(decoder, value, count);
    }
  } else {
    const Nesting nesting(decoder);
    value.clear();
    reserve_for<T, Element>(value, count, decoder);
    for (std::size_t i = 0; i != count; ++i) {
      value.emplace_back();
      if constexpr (std::is_same_v<decltype(value.back()), Element&>) {
        decode_element(decoder, value.back());
      } else {
        Element element = Element();
        decode_element(decoder, element);
        value.back() = element;
      }
    }
  }
}

template <class T>
void decode_bits(Decoder& decoder, T& value) {
  const auto length = decode_bytes_of<std::uint64_t>(decoder);
  if (length / 8 > decoder.remaining() || (length + 7) / 8 > decoder.remaining()) {
    throw_bad_length(type_name<T>(), length, 0, decoder.remaining());
  }
  const auto count = static_cast<std::size_t>(length);
  const auto bytes = decoder.take((count + 7) / 8);
  value.assign(count, false);
  for (std::size_t i = 0; i != count; ++i) {
    value[i] = (std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8) & 1U) != 0;
  }
  if (count % 8 != 0 && std::to_integer<unsigned>(bytes.back()) >> (count % 8) != 0) {
    throw_bad_byte(type_name<T>(), std::to_integer<unsigned>(bytes.back()), "unused bits of zero");
  }
}

template <class T>
void decode_map(Decoder& decoder, T& map) {
  using Key = typename T::key_type;
  using Mapped = typename T::mapped_type;
  const Nesting nesting(decoder);
  const std::size_t count = decode_length<T>(decoder, kElementBytes<Key> + min_size<Mapped>());
  map.clear();
  reserve_for<T, typename T::value_type>(map, count, decoder);
  for (std::size_t i = 0; i != count; ++i) {
    Key key = Key();
    decode_element(decoder, key);
    const auto place = map.emplace_hint(map.end(), std::piecewise_construct,
                                        std::forward_as_tuple(std::move(key)), std::tuple<>());
    if (map.size() != i + 1) {
      throw_duplicate_key(type_name<T>());
    }
    decode_value(decoder, place->second);
  }
}

template <class T>
void decode_set(Decoder& decoder, T& set) {
  using Key = typename T::key_type;
  const Nesting nesting(decoder);
  const std::size_t count = decode_length<T>(decoder, kElementBytes<Key>);
  set.clear();
  reserve_for<T, Key>(set, count, decoder);
  for (std::size_t i = 0; i != count; ++i) {
    Key key = Key();
    decode_element(decoder, key);
    set.emplace_hint(set.end(), std::move(key));
    if (set.size() != i + 1) {
      throw_duplicate_key(type_name<T>());
    }
  }
}

template <class T>
void decode_maybe(Decoder& decoder, T& value) {
  const Nesting nesting(decoder);
  value.reset();
  if (!decode_flag<T>(decoder)) {
    return;
  }
  if constexpr (kKind<T> == Kind::owner) {
    value.reset(new typename T::element_type());
  } else {
    value.emplace();
  }
  decode_value(decoder, *value);
}

template <std::size_t I = 0, class T>
void decode_alternative(Decoder& decoder, T& value, std::size_t index) {
  if constexpr (I < std::variant_size_v<T>) {
    if (index == I) {
      decode_value(decoder, value.template emplace<I>());
    } else {
      decode_alternative<I + 1>(decoder, value, index);
    }
  }
}

template <class T>
void decode_variant(Decoder& decoder, T& value) {
  const Nesting nesting(decoder);
  const auto index = decode_bytes_of<VariantIndex<T>>(decoder);
  if (index >= std::variant_size_v<T>) {
    throw_bad_byte(type_name<T>(), index, "the index of an alternative");
  }
  decode_alternative(decoder, value, index);
}

template <class Of>
struct DecodeFields {
  Decoder& decoder;

  template <class... Field>
  void operator()(Field&... field) const {
    if constexpr (sizeof...(Field) == 0) {
      decode_empty<Of>(decoder);
    } else {
      (decode_value(decoder, field), ...);
    }
  }
};

template <class T>
void decode_value(Decoder& decoder, T& value) {
  constexpr Kind kind = kKind<T>;
  if constexpr (kind == Kind::hooked) {
    const Nesting nesting(decoder);
    if constexpr (kIsHandle<T>) {
      adl::call_decode(decoder, value);
    } else {
      const VacantHandles vacant(false);
      const CopyGuard guard("the decoding of a value");
      adl::call_decode(decoder, value);
    }
  } else if constexpr (kBitwise<T>) {
    decoder.read(static_cast<void*>(&value), sizeof(value));
  } else if constexpr (kind == Kind::boolean) {
    value = static_cast<T>(decode_flag<T>(decoder));
  } else if constexpr (kind == Kind::long_double) {
    value = 0;
    decoder.read(&value, kLongDoubleBytes);
  } else if constexpr (kind == Kind::array) {
    if constexpr (kExtent<T> == 0) {
      decode_empty<T>(decoder);
    } else {
      for (auto& element : value) {
        decode_value(decoder, element);
      }
    }
  } else if constexpr (kind == Kind::text || kind == Kind::sequence) {
    decode_sequence(decoder, value);
  } else if constexpr (kind == Kind::bits) {
    decode_bits(decoder, value);
  } else if constexpr (kind == Kind::optional || kind == Kind::owner) {
    decode_maybe(decoder, value);
  } else if constexpr (kind == Kind::variant) {
    decode_variant(decoder, value);
  } else if constexpr (kind == Kind::tuple) {
    std::apply(DecodeFields<T>{decoder}, value);
  } else if constexpr (kind == Kind::map) {
    decode_map(decoder, value);
  } else if constexpr (kind == Kind::set) {
    decode_set(decoder, value);
  } else if constexpr (kind == Kind::duration) {
    auto count = typename T::rep();
    decode_value(decoder, count);
    value = T(count);
  } else if constexpr (kind == Kind::time_point) {
    auto since = typename T::duration();
    decode_value(decoder, since);
    value = T(since);
  } else if constexpr (kind == Kind::path) {
    typename T::string_type native;
    decode_sequence(decoder, native);
    value = T(std::move(native));
  } else {
    static_assert(kind == Kind::aggregate);
    visit_fields(value, DecodeFields<T>{decoder});
  }
}

}  // namespace procession::detail
