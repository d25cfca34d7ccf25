// Containers and what else holds values, there and back.
#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "codec_support.hpp"

namespace {

using namespace codec_test;

TEST(Container, Vectors) {
  expect_same(std::vector<int>{});
  expect_same(std::vector<std::string>{"", "a", "bc"});
  expect_same(std::vector<std::vector<double>>{{}, {1.5}, {2, 3}});
  expect_same(std::vector<std::byte>(300, std::byte{9}));
  std::vector<long> many(100001);
  for (std::size_t i = 0; i != many.size(); ++i) {
    many[i] = static_cast<long>(i * i);
  }
  expect_same(many);
}

TEST(Container, VectorsOfBoolOfEveryLength) {
  std::vector<bool> bits;
  for (int i = 0; i != 40; ++i) {
    expect_same(bits);
    bits.push_back(i % 3 == 0);
  }
  expect_same(std::vector<std::vector<bool>>{bits, {}, {true}});
}

TEST(Container, OtherSequences) {
  expect_same(std::deque<int>{1, 2, 3});
  expect_same(std::list<std::string>{"a", "b"});
  expect_same(std::deque<bool>{true, false});
  expect_same(std::array<int, 3>{1, 2, 3});
  expect_same(std::array<std::string, 2>{"a", "b"});
  expect_same(std::array<bool, 2>{true, false});
  expect_same(std::array<int, 0>{});
}

TEST(Container, OptionalVariantTuplePair) {
  expect_same(std::optional<std::string>{});
  expect_same(std::optional<std::string>{"x"});
  expect_same(std::optional<std::optional<int>>{std::optional<int>{}});
  using Variant = std::variant<std::monostate, int, std::string, std::vector<int>>;
  expect_same(std::vector<Variant>{{}, 5, "text", std::vector<int>{1, 2}});
  expect_same(std::variant<int, int>(std::in_place_index<1>, 4));
  expect_same(std::tuple<int, std::string, bool>{1, "two", true});
  expect_same(std::tuple<>{});
  expect_same(std::pair<std::string, double>{"pi", 3.14});
}

TEST(Container, MapsAndSets) {
  expect_same(std::map<std::string, int>{{"a", 1}, {"b", 2}});
  expect_same(std::map<int, std::map<int, std::string>>{{1, {{2, "x"}}}, {3, {}}});
  expect_same(std::multimap<int, std::string>{{1, "a"}, {1, "b"}, {2, "c"}});
  expect_same(std::set<std::string>{"x", "y"});
  expect_same(std::multiset<int>{1, 1, 2});
  expect_same(std::unordered_map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  expect_same(std::unordered_multimap<int, int>{{1, 1}, {1, 2}});
  expect_same(std::unordered_set<long>{1, 2, 3});
  expect_same(std::unordered_multiset<std::string>{"a", "a"});
  expect_same(std::map<int, int, std::greater<>>{{1, 2}, {3, 4}});
}

TEST(Container, UniquePointers) {
  EXPECT_EQ(round_trip(std::unique_ptr<int>()), nullptr);
  EXPECT_EQ(*round_trip(std::make_unique<std::string>("here")), "here");
  std::map<int, std::unique_ptr<int>> owners;
  owners[4] = std::make_unique<int>(5);
  EXPECT_EQ(*round_trip(owners).at(4), 5);
}

TEST(Container, ReplacesWhatWasThere) {
  mp::BufferEncoder encoder;
  mp::encode(encoder, std::vector<int>{1});
  mp::encode(encoder, std::map<int, int>{{1, 1}});
  mp::encode(encoder, std::optional<int>{});
  mp::encode(encoder, std::vector<bool>{true});
  mp::Decoder decoder(encoder.bytes());
  std::vector<int> numbers{7, 8, 9};
  std::map<int, int> map{{5, 5}};
  std::optional<int> maybe = 3;
  std::vector<bool> bits(20, false);
  mp::decode(decoder, numbers);
  mp::decode(decoder, map);
  mp::decode(decoder, maybe);
  mp::decode(decoder, bits);
  EXPECT_EQ(numbers, std::vector<int>{1});
  EXPECT_EQ(map, (std::map<int, int>{{1, 1}}));
  EXPECT_EQ(maybe, std::nullopt);
  EXPECT_EQ(bits, std::vector<bool>{true});
}

TEST(Container, AVariantWithoutAValueIsRefused) {
  std::variant<int, std::deque<int>> value;
  EXPECT_THROW(value.emplace<1>(SIZE_MAX), std::length_error);
  ASSERT_TRUE(value.valueless_by_exception());
  EXPECT_THROW(encoded(value), std::invalid_argument);
}

}  // namespace
