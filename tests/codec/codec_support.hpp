// What the tests of the codec share.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace mp = procession;

namespace codec_test {

using Bytes = std::vector<std::byte>;

template <class T>
Bytes encoded(const T& value) {
  mp::BufferEncoder encoder;
  mp::encode(encoder, value);
  return encoder.take();
}

/// Decodes all of `bytes`.
template <class T>
T decoded(const Bytes& bytes) {
  mp::Decoder decoder(bytes);
  T value = mp::decode<T>(decoder);
  decoder.expect_end();
  return value;
}

template <class T>
T round_trip(const T& value) {
  return decoded<T>(encoded(value));
}

template <class T>
void expect_same(const T& value) {
  SCOPED_TRACE(std::string(mp::type_name<T>()));
  EXPECT_TRUE(round_trip(value) == value);
}

inline Bytes bytes_of(std::initializer_list<unsigned> values) {
  Bytes bytes;
  for (const unsigned value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

/// The text of the DecodeError that decoding `bytes` as a T must end in.
template <class T>
std::string decode_error(const Bytes& bytes) {
  try {
    decoded<T>(bytes);
  } catch (const mp::DecodeError& error) {
    return error.what();
  }
  ADD_FAILURE() << "decoded as a " << mp::type_name<T>();
  return {};
}

}  // namespace codec_test
