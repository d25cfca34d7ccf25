// What the codec is fuzzed with, also replayed by the tests: any bytes, decoded as one of several
// types, must give a value or DecodeError; and what was decoded must survive another journey.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace codec_fuzz {

namespace mp = procession;
using Bytes = std::vector<std::byte>;

enum class Colour : std::uint8_t { red, green, blue };
enum class Switch : bool { off, on };

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
};

struct Tree {
  std::string name;
  std::vector<Tree> children;
  std::optional<std::unique_ptr<Tree>> spare;
};

struct Empty {};

struct Record {
  bool flag = false;
  Switch power = Switch::off;
  Colour colour = Colour::red;
  char letter = 0;
  std::string text;
  std::u16string wide_text;
  Empty nothing;
  Point corners[2];
  std::array<std::optional<double>, 2> pair;
  std::vector<Point> points;
  std::vector<bool> bits;
  std::filesystem::path path;
  std::chrono::milliseconds delay{};
  std::chrono::system_clock::time_point when;
  std::tuple<std::int8_t, std::string, std::tuple<>> tuple;
  long double real = 0;
  std::unique_ptr<Point> owner;
};

// Writes two bytes or one, and refuses what it would not write.
class Hooked {
  friend void encode(mp::Encoder& encoder, const Hooked& hooked) {
    mp::encode(encoder, hooked.small_ < 128);
    mp::encode(encoder, hooked.small_);
  }
  friend void decode(mp::Decoder& decoder, Hooked& hooked) {
    const bool low = mp::decode<bool>(decoder);
    hooked.small_ = mp::decode<std::uint8_t>(decoder);
    if (low != (hooked.small_ < 128)) {
      throw mp::DecodeError("a Hooked that contradicts itself");
    }
  }
  std::uint8_t small_ = 0;
};

class Silent {
  friend void encode(mp::Encoder&, const Silent&) {}
  friend void decode(mp::Decoder&, Silent&) {}
};

using Choice = std::variant<std::monostate, std::int64_t, std::string, std::vector<bool>,
                            std::unique_ptr<std::string>, std::pair<Colour, Point>>;

/// How much of an encoding its value determines.
enum class Order {
  exact,   ///< all bytes
  sorted,  ///< all but the order in which a map's or a set's elements came
  hashed,  ///< all but the order of elements at any time: values are compared instead
};

inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "codec: %s\n", what);
    std::abort();
  }
}

template <class T>
Bytes encoded(const T& value) {
  mp::BufferEncoder encoder;
  mp::encode(encoder, value);
  return encoder.take();
}

template <class T, Order order>
bool decode_as(std::span<const std::byte> bytes) {
  // A block of its own, so that a sanitizer sees any byte read past its end.
  const Bytes input(bytes.begin(), bytes.end());
  mp::Decoder decoder(input);
  T value = T();
  try {
    mp::decode(decoder, value);
  } catch (const mp::DecodeError&) {
    return false;
  }
  const std::size_t consumed = input.size() - decoder.remaining();
  const Bytes again = encoded(value);
  require(again.size() == consumed, "the encoding of what was decoded has another size");
  if constexpr (order == Order::exact) {
    require(std::equal(again.begin(), again.end(), input.begin()),
            "what was decoded has another encoding");
  }
  mp::Decoder second(again);
  const T copy = mp::decode<T>(second);
  require(second.remaining() == 0, "decoding one's own encoding left bytes over");
  if constexpr (order == Order::hashed) {
    require(copy == value, "a value changed on its way");
  } else {
    require(encoded(copy) == again, "a value changed on its way");
  }
  return true;
}

using Target = bool (*)(std::span<const std::byte>);

/// By the first byte of the input.
inline constexpr Target kTargets[] = {
    decode_as<Record, Order::exact>,
    decode_as<Tree, Order::exact>,
    decode_as<std::vector<Choice>, Order::exact>,
    decode_as<std::vector<std::string>, Order::exact>,
    decode_as<std::deque<std::list<std::optional<std::string>>>, Order::exact>,
    decode_as<std::vector<std::vector<std::uint16_t>>, Order::exact>,
    decode_as<std::pair<std::vector<Hooked>, std::vector<Silent>>, Order::exact>,
    decode_as<std::map<std::string, std::vector<std::pair<int, bool>>>, Order::sorted>,
    decode_as<std::pair<std::set<std::uint16_t>, std::multimap<std::uint8_t, std::string>>,
              Order::sorted>,
    decode_as<std::unordered_map<std::string, std::set<int>>, Order::hashed>,
    decode_as<std::pair<std::unordered_multiset<int>, std::unordered_set<std::string>>,
              Order::hashed>,
    decode_as<std::vector<bool>, Order::exact>,
};

/// Whether the bytes were a value; false when they were refused. Aborts when the codec is wrong.
inline bool run(std::span<const std::byte> bytes) {
  if (bytes.empty()) {
    return false;
  }
  const std::size_t which = std::to_integer<std::size_t>(bytes[0]) % std::size(kTargets);
  return kTargets[which](bytes.subspan(1));
}

}  // namespace codec_fuzz
