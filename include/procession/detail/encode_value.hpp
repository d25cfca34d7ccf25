#pragma once

#include <cstddef>
#include <cstdint>

#include "procession/detail/codec_errors.hpp"
#include "procession/detail/codec_nesting.hpp"
#include "procession/detail/codec_traits.hpp"
#include "procession/detail/copy_guard.hpp"
#include "procession/detail/encoder.hpp"

// Encoding, by the kind of the type. Layout: numbers as they lie in memory (little endian); lengths
// as 64 bits; everything else its parts one after the other, with no padding and no tags.
namespace procession::detail {

template <class T>
void encode_value(Encoder& encoder, const T& value);

template <class T>
void encode_bytes_of(Encoder& encoder, const T& value) {
  encoder.write(&value, sizeof(value));
}

inline void encode_byte(Encoder& encoder, std::uint8_t value) { encode_bytes_of(encoder, value); }

inline void encode_length(Encoder& encoder, std::size_t length) {
  encode_bytes_of(encoder, static_cast<std::uint64_t>(length));
}

/// An element of a container. One that may take no bytes gets one, so that a length is never more
/// than the bytes left.
template <class T>
void encode_element(Encoder& encoder, const T& element) {
  if constexpr (min_size<T>() == 0) {
    encode_byte(encoder, 0);
  }
  encode_value(encoder, element);
}

template <class T>
void encode_run(Encoder& encoder, const T* elements, std::size_t count) {
  if constexpr (kBitwise<T>) {
    encoder.write(elements, count * sizeof(T));
  } else {
    for (std::size_t i = 0; i != count; ++i) {
      encode_element(encoder, elements[i]);
    }
  }
}

/// Anything with a size, elements and perhaps `data()`: a vector as well as a span.
template <class Range>
void encode_range(Encoder& encoder, const Range& range) {
  encode_length(encoder, range.size());
  if constexpr (requires { range.data(); }) {
    using Element = std::remove_cvref_t<decltype(*range.data())>;
    if constexpr (kBitwise<Element>) {
      encoder.write(range.data(), range.size() * sizeof(Element));
    } else {
      const Nesting nesting(encoder);
      encode_run(encoder, range.data(), range.size());
    }
  } else {
    const Nesting nesting(encoder);
    for (const auto& element : range) {
      encode_element(encoder, element);
    }
  }
}

/// Eight bools to a byte, the first in its lowest bit.
template <class Range>
void encode_bits(Encoder& encoder, const Range& range) {
  encode_length(encoder, range.size());
  unsigned byte = 0;
  unsigned bit = 0;
  for (const bool value : range) {
    byte |= static_cast<unsigned>(value) << bit;
    if (++bit == 8) {
      encode_byte(encoder, static_cast<std::uint8_t>(byte));
      byte = 0;
      bit = 0;
    }
  }
  if (bit != 0) {
    encode_byte(encoder, static_cast<std::uint8_t>(byte));
  }
}

template <class Map>
void encode_map(Encoder& encoder, const Map& map) {
  const Nesting nesting(encoder);
  encode_length(encoder, map.size());
  for (const auto& [key, mapped] : map) {
    encode_element(encoder, key);
    encode_value(encoder, mapped);
  }
}

/// An optional or a pointer.
template <class T>
void encode_maybe(Encoder& encoder, const T& value) {
  const Nesting nesting(encoder);
  const bool there = static_cast<bool>(value);
  encode_byte(encoder, there ? 1 : 0);
  if (there) {
    encode_value(encoder, *value);
  }
}

template <class T>
void encode_variant(Encoder& encoder, const T& value) {
  const Nesting nesting(encoder);
  if (value.valueless_by_exception()) {
    throw_valueless(type_name<T>());
  }
  encode_bytes_of(encoder, static_cast<VariantIndex<T>>(value.index()));
  std::visit([&](const auto& alternative) { encode_value(encoder, alternative); }, value);
}

/// The fields of a struct or a tuple; where there are none, one zero byte.
struct EncodeFields {
  Encoder& encoder;

  template <class... Field>
  void operator()(const Field&... field) const {
    if constexpr (sizeof...(Field) == 0) {
      encode_byte(encoder, 0);
    } else {
      (encode_value(encoder, field), ...);
    }
  }
};

template <class T>
void encode_value(Encoder& encoder, const T& value) {
  constexpr Kind kind = kKind<T>;
  if constexpr (kind == Kind::hooked) {
    const Nesting nesting(encoder);
    if constexpr (kIsHandle<T>) {
      adl::call_encode(encoder, value);
    } else {
      const CopyGuard guard("the encoding of a value");
      adl::call_encode(encoder, value);
    }
  } else if constexpr (kBitwise<T>) {
    encode_bytes_of(encoder, value);
  } else if constexpr (kind == Kind::boolean) {
    encode_byte(encoder, static_cast<bool>(value) ? 1 : 0);
  } else if constexpr (kind == Kind::long_double) {
    encoder.write(&value, kLongDoubleBytes);
  } else if constexpr (kind == Kind::array) {
    if constexpr (kExtent<T> == 0) {
      encode_byte(encoder, 0);
    } else {
      for (const auto& element : value) {
        encode_value(encoder, element);
      }
    }
  } else if constexpr (kind == Kind::text || kind == Kind::sequence) {
    encode_range(encoder, value);
  } else if constexpr (kind == Kind::bits) {
    encode_bits(encoder, value);
  } else if constexpr (kind == Kind::optional || kind == Kind::owner) {
    encode_maybe(encoder, value);
  } else if constexpr (kind == Kind::variant) {
    encode_variant(encoder, value);
  } else if constexpr (kind == Kind::tuple) {
    std::apply(EncodeFields{encoder}, value);
  } else if constexpr (kind == Kind::map) {
    encode_map(encoder, value);
  } else if constexpr (kind == Kind::set) {
    encode_range(encoder, value);
  } else if constexpr (kind == Kind::duration) {
    encode_value(encoder, value.count());
  } else if constexpr (kind == Kind::time_point) {
    encode_value(encoder, value.time_since_epoch());
  } else if constexpr (kind == Kind::path) {
    encode_range(encoder, value.native());
  } else {
    static_assert(kind == Kind::aggregate);
    visit_fields(value, EncodeFields{encoder});
  }
}

}  // namespace procession::detail
