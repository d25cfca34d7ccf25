// Bytes that no `encode` wrote.
#include <chrono>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <variant>

#include "codec_support.hpp"

namespace hostile {

struct Inner {
  bool flag = false;
  std::string text;
};
struct Everything {
  int number = 0;
  std::vector<std::string> words;
  std::vector<int> numbers;
  std::vector<bool> bits;
  std::optional<Inner> maybe;
  std::variant<std::monostate, int, std::string> choice;
  std::map<std::string, int> map;
  std::unordered_map<int, std::string> hash;
  std::set<int> set;
  std::deque<Inner> deque;
  std::unique_ptr<Inner> owner;
  std::tuple<char, std::string> tuple;
  std::filesystem::path path;
  std::chrono::seconds delay{};
  long double wide = 0;
  Inner array[2];
};
struct Nest {
  std::vector<Nest> inside;
};
struct Wide {
  char much[4096] = {};
  std::vector<Wide> inside;
};
struct Link {
  std::unique_ptr<Link> next;
};

// An allocator of a process that has hardly any memory.
template <class T>
struct Stingy {
  using value_type = T;
  Stingy() = default;
  template <class U>
  Stingy(const Stingy<U>&) {}
  T* allocate(std::size_t count) {
    if (count * sizeof(T) > 1000) {
      throw std::bad_alloc();
    }
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* memory, std::size_t count) { std::allocator<T>().deallocate(memory, count); }
  bool operator==(const Stingy&) const = default;
};

}  // namespace hostile

namespace {

using namespace codec_test;
using namespace hostile;

Everything sample() {
  Everything all;
  all.number = 5;
  all.words = {"one", "two"};
  all.numbers = {1, 2, 3};
  all.bits = {true, false, true};
  all.maybe = Inner{true, "in"};
  all.choice = "chosen";
  all.map = {{"k", 1}};
  all.hash = {{2, "v"}};
  all.set = {4, 5};
  all.deque = {{false, "d"}};
  all.owner = std::make_unique<Inner>(Inner{true, "o"});
  all.tuple = {'t', "u"};
  all.path = "/p";
  all.array[1].text = "last";
  return all;
}

void append(Bytes& bytes, std::uint64_t number) {
  for (int shift = 0; shift != 64; shift += 8) {
    bytes.push_back(static_cast<std::byte>(number >> shift));
  }
}

Bytes length(std::uint64_t number) {
  Bytes bytes;
  append(bytes, number);
  return bytes;
}

TEST(Hostile, EveryTruncationIsADecodeError) {
  const Bytes whole = encoded(sample());
  for (std::size_t size = 0; size != whole.size(); ++size) {
    // A block of its own, so that the address sanitizer sees every byte read past the end.
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(decoded<Everything>(part), mp::DecodeError) << size << " of " << whole.size();
  }
  EXPECT_EQ(decoded<Everything>(whole).array[1].text, "last");
}

TEST(Hostile, EveryChangedByteIsAValueOrADecodeError) {
  const Bytes whole = encoded(sample());
  for (std::size_t at = 0; at != whole.size(); ++at) {
    for (const unsigned value : {0U, 1U, 2U, 127U, 128U, 255U}) {
      Bytes changed = whole;
      changed[at] = static_cast<std::byte>(value);
      try {
        decoded<Everything>(changed);
      } catch (const mp::DecodeError&) {
      }
    }
  }
}

TEST(Hostile, LengthsThatCannotBeAreNotAllocated) {
  for (const std::uint64_t claim :
       {UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 8 + 1, std::uint64_t{1} << 40, std::uint64_t{9}}) {
    SCOPED_TRACE(claim);
    Bytes bytes = length(claim);
    bytes.resize(bytes.size() + 8);
    EXPECT_THROW(decoded<std::string>(bytes), mp::DecodeError);
    EXPECT_THROW(decoded<std::vector<int>>(bytes), mp::DecodeError);
    EXPECT_THROW(decoded<std::vector<std::string>>(bytes), mp::DecodeError);
    EXPECT_THROW((decoded<std::map<int, int>>(bytes)), mp::DecodeError);
    EXPECT_THROW(decoded<std::set<long>>(bytes), mp::DecodeError);
    EXPECT_THROW(decoded<std::list<bool>>(bytes), mp::DecodeError);
    EXPECT_THROW((decoded<std::unordered_map<int, int>>(bytes)), mp::DecodeError);
    EXPECT_THROW(decoded<std::filesystem::path>(bytes), mp::DecodeError);
    EXPECT_THROW(decoded<std::vector<std::tuple<>>>(bytes), mp::DecodeError);
    if (claim > 64) {
      EXPECT_THROW(decoded<std::vector<bool>>(bytes), mp::DecodeError);
    }
  }
}

TEST(Hostile, TheTextTellsTheTypeTheLengthAndTheRest) {
  const std::string text = decode_error<std::vector<int>>(length(1000));
  EXPECT_NE(text.find("std::vector<int>"), std::string::npos) << text;
  EXPECT_NE(text.find("1000"), std::string::npos) << text;
  EXPECT_NE(text.find("0 bytes remain"), std::string::npos) << text;
}

TEST(Hostile, MemoryThatCannotBeHadIsADecodeError) {
  const std::vector<std::string> words(100);
  const std::string text =
      decode_error<std::vector<std::string, Stingy<std::string>>>(encoded(words));
  EXPECT_NE(text.find("not enough memory"), std::string::npos) << text;
}

TEST(Hostile, FlagsAreZeroOrOne) {
  EXPECT_THROW(decoded<bool>(bytes_of({2})), mp::DecodeError);
  EXPECT_THROW(decoded<std::optional<char>>(bytes_of({2, 0})), mp::DecodeError);
  EXPECT_THROW(decoded<std::unique_ptr<char>>(bytes_of({255, 0})), mp::DecodeError);
  EXPECT_THROW(decoded<std::vector<bool>>(bytes_of({1, 0, 0, 0, 0, 0, 0, 0, 2})), mp::DecodeError);
  EXPECT_THROW((decoded<std::array<bool, 2>>(bytes_of({1, 3}))), mp::DecodeError);
  EXPECT_THROW(decoded<std::tuple<>>(bytes_of({1})), mp::DecodeError);
}

TEST(Hostile, AlternativesExist) {
  using Variant = std::variant<std::monostate, char>;
  EXPECT_THROW(decoded<Variant>(bytes_of({2, 0})), mp::DecodeError);
  EXPECT_THROW(decoded<Variant>(bytes_of({255, 0})), mp::DecodeError);
}

TEST(Hostile, KeysComeOnce) {
  Bytes twice = length(2);
  append(twice, 7);
  append(twice, 7);
  EXPECT_THROW(decoded<std::set<long>>(twice), mp::DecodeError);
  EXPECT_EQ(decoded<std::multiset<long>>(twice).size(), 2U);
}

TEST(Hostile, LeftoversAreADecodeError) {
  EXPECT_THROW(decoded<int>(bytes_of({1, 2, 3, 4, 5})), mp::DecodeError);
}

TEST(Hostile, DepthIsLimited) {
  Bytes deep;
  for (int i = 0; i != 100000; ++i) {
    append(deep, 1);
  }
  EXPECT_THROW(decoded<Nest>(deep), mp::DecodeError);
  EXPECT_THROW(decoded<Link>(Bytes(1000000, std::byte{1})), mp::DecodeError);
}

TEST(Hostile, DepthOfLargeTypesDoesNotUseUpTheStack) {
  Bytes deep;
  for (int i = 0; i != 1000; ++i) {
    deep.resize(deep.size() + sizeof(Wide::much));
    append(deep, 1);
  }
  EXPECT_THROW(decoded<Wide>(deep), mp::DecodeError);
}

TEST(Hostile, TheSenderIsHeldToTheSameDepth) {
  const auto nested = [](std::size_t levels) {
    Nest nest;
    for (std::size_t i = 1; i != levels; ++i) {
      Nest outer;
      outer.inside.push_back(std::move(nest));
      nest = std::move(outer);
    }
    return nest;
  };
  EXPECT_EQ(round_trip(nested(mp::detail::kMaxNesting)).inside.size(), 1U);
  try {
    encoded(nested(mp::detail::kMaxNesting + 1));
    FAIL() << "it was encoded";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("256 levels"), std::string::npos) << error.what();
  }
}

TEST(Hostile, AfterARefusalTheEncoderStillCountsRight) {
  mp::BufferEncoder encoder;
  for (int i = 0; i != 2; ++i) {
    Link chain;
    for (int j = 0; j != 300; ++j) {
      auto next = std::make_unique<Link>();
      next->next = std::move(chain.next);
      chain.next = std::move(next);
    }
    EXPECT_THROW(mp::encode(encoder, chain), std::invalid_argument);
  }
  encoder.clear();
  mp::encode(encoder, std::vector<std::vector<std::string>>{{"a"}});
  mp::Decoder decoder(encoder.bytes());
  EXPECT_EQ(mp::decode<std::vector<std::vector<std::string>>>(decoder).at(0).at(0), "a");
}

}  // namespace
