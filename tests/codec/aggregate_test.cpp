// Structs with nothing declared.
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>

#include "codec_support.hpp"

namespace shapes {

struct Empty {
  bool operator==(const Empty&) const = default;
};

struct One {
  int only = 0;
  bool operator==(const One&) const = default;
};

struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

struct Mixed {
  bool flag = false;
  Point point;
  std::string name;
  Empty nothing;
  std::vector<Point> path;
  std::optional<One> maybe;
  std::variant<int, std::string, Point> choice;
  std::map<std::string, One> table;
  std::filesystem::path file;
  std::chrono::milliseconds delay{};
  bool operator==(const Mixed&) const = default;
};

struct Arrays {
  int numbers[3] = {};
  std::string words[2];
  char grid[2][4] = {};
  std::array<short, 2> pair{};
  int last = 0;
  bool operator==(const Arrays&) const = default;
};

struct OnlyArray {
  unsigned char bytes[16] = {};
  bool operator==(const OnlyArray&) const = default;
};

struct Large {
  int before = 0;
  char text[100000] = {};
  std::string after;
};

// Like a Queue: made from nothing, but only on demand.
class Handle {
 public:
  explicit Handle(int number = 0) : number_(number) {}
  bool operator==(const Handle&) const = default;

 private:
  friend void encode(mp::Encoder& encoder, const Handle& handle) {
    mp::encode(encoder, handle.number_);
  }
  friend void decode(mp::Decoder& decoder, Handle& handle) { mp::decode(decoder, handle.number_); }
  int number_;
};

struct Handles {
  int number = 0;
  Handle first;
  std::string text;
  Handle second;
  std::optional<Handle> third;
  bool operator==(const Handles&) const = default;
};

struct HandlesAndArrays {
  char text[16] = {};
  Handle handle;
  int numbers[2] = {};
  Handle handles[2];
  bool operator==(const HandlesAndArrays&) const = default;
};

struct Tag {
  bool operator==(const Tag&) const = default;
};

// Fields that cannot be made from empty braces, and make themselves.
struct MadeHandles {
  Handle first{7};
  int number = 3;
  Handle second = Handle(8);
  bool operator==(const MadeHandles&) const = default;
};
struct MadeHandle {
  Handle only{1};
  bool operator==(const MadeHandle&) const = default;
};
struct MadeLast {
  int number = 3;
  std::string text;
  Handle last{9};
  bool operator==(const MadeLast&) const = default;
};
struct MadeHandlesAndArrays {
  char text[16] = {};
  Handle handle{5};
  int numbers[2] = {};
  Handle handles[2] = {Handle(1), Handle(2)};
  bool operator==(const MadeHandlesAndArrays&) const = default;
};
struct MadeArray {
  Handle handles[2] = {Handle(1), Handle(2)};
  bool operator==(const MadeArray&) const = default;
};
struct MadeTagged : Tag {
  Handle handle{5};
  int number = 3;
  bool operator==(const MadeTagged&) const = default;
};
/// Made from a number only.
class Numbered {
 public:
  explicit Numbered(int number) : number_(number) {}
  bool operator==(const Numbered&) const = default;

 private:
  friend void encode(mp::Encoder& encoder, const Numbered& it) { mp::encode(encoder, it.number_); }
  friend void decode(mp::Decoder& decoder, Numbered& it) { mp::decode(decoder, it.number_); }
  int number_;
};
struct MadeNumbered {
  Numbered first{4};
  int number = 3;
  bool operator==(const MadeNumbered&) const = default;
};

struct Moves {
  std::unique_ptr<int> owner;
  std::vector<std::unique_ptr<std::string>> owners;
};

struct Tree {
  int value = 0;
  std::vector<Tree> children;
  bool operator==(const Tree&) const = default;
};

struct List {
  int value = 0;
  std::unique_ptr<List> next;
};

struct Tagged : Tag {
  int number = 0;
  std::string text;
  bool operator==(const Tagged&) const = default;
};

struct Many {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2,
      c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8;
  std::string last;
  bool operator==(const Many&) const = default;
};

template <class T>
struct Boxed {
  T value{};
  std::size_t count = 0;
  bool operator==(const Boxed&) const = default;
};

struct Tight {
  int number;
  float real;
};
struct Gap {
  char letter;
  int number;
};
struct HasBool {
  bool flag;
};
struct TightPair {
  Tight first;
  Tight second[2];
};

}  // namespace shapes

namespace {

using namespace codec_test;
using namespace shapes;

template <class T>
constexpr std::size_t fields() {
  return mp::detail::kFieldCount<T>;
}

TEST(Aggregate, FieldsAreCounted) {
  EXPECT_EQ(fields<Empty>(), 0U);
  EXPECT_EQ(fields<One>(), 1U);
  EXPECT_EQ(fields<Point>(), 2U);
  EXPECT_EQ(fields<Mixed>(), 10U);
  EXPECT_EQ(fields<Arrays>(), 5U);
  EXPECT_EQ(fields<OnlyArray>(), 1U);
  EXPECT_EQ(fields<Moves>(), 2U);
  EXPECT_EQ(fields<Tree>(), 2U);
  EXPECT_EQ(fields<Tagged>(), 2U);
  EXPECT_EQ(fields<Many>(), 40U);
  EXPECT_EQ(fields<Large>(), 3U);
  EXPECT_EQ(fields<Handles>(), 5U);
  EXPECT_EQ(fields<HandlesAndArrays>(), 4U);
}

TEST(Aggregate, FieldsThatMakeThemselvesAreCounted) {
  EXPECT_EQ(fields<MadeHandles>(), 3U);
  EXPECT_EQ(fields<MadeHandle>(), 1U);
  EXPECT_EQ(fields<MadeLast>(), 3U);
  EXPECT_EQ(fields<MadeHandlesAndArrays>(), 4U);
  EXPECT_EQ(fields<MadeArray>(), 1U);
  EXPECT_EQ(fields<MadeTagged>(), 2U);
  EXPECT_EQ(fields<MadeNumbered>(), 2U);
}

TEST(Aggregate, FieldsThatMakeThemselvesComeBack) {
  expect_same(MadeHandles{Handle(1), 2, Handle(3)});
  expect_same(MadeHandle{Handle(2)});
  expect_same(MadeLast{1, "a", Handle(2)});
  expect_same(MadeHandlesAndArrays{"abc", Handle(6), {7, 8}, {Handle(9), Handle(10)}});
  expect_same(MadeArray{{Handle(3), Handle(4)}});
  expect_same(MadeTagged{{}, Handle(6), 7});
  expect_same(MadeNumbered{Numbered(5), 6});
  expect_same(std::vector<MadeHandle>{{Handle(2)}, {Handle(3)}});
}

TEST(Aggregate, OnlyWhatHasNoGapsIsCopiedWhole) {
  EXPECT_TRUE(mp::detail::kBitwise<Tight>);
  EXPECT_TRUE(mp::detail::kBitwise<TightPair>);
  EXPECT_TRUE(mp::detail::kBitwise<OnlyArray>);
  EXPECT_TRUE(mp::detail::kBitwise<std::chrono::nanoseconds>);
  EXPECT_FALSE(mp::detail::kBitwise<Gap>);
  EXPECT_FALSE(mp::detail::kBitwise<HasBool>);
  EXPECT_FALSE(mp::detail::kBitwise<Empty>);
  EXPECT_FALSE(mp::detail::kBitwise<Moves>);
}

TEST(Aggregate, ComesBack) {
  EXPECT_EQ(round_trip(Empty{}), Empty{});
  EXPECT_EQ(round_trip(One{5}), One{5});
  const Mixed mixed{true,   {1, 2},      "name",       {},     {{3, 4}, {5, 6}},
                    One{7}, Point{8, 9}, {{"k", {1}}}, "/tmp", std::chrono::milliseconds(12)};
  EXPECT_EQ(round_trip(mixed), mixed);
  EXPECT_EQ(round_trip(std::vector<Mixed>{mixed, {}}), (std::vector<Mixed>{mixed, {}}));
}

TEST(Aggregate, WithArraysComesBack) {
  const Arrays arrays{{1, 2, 3}, {"a", "b"}, {"abc", "def"}, {4, 5}, 6};
  EXPECT_EQ(round_trip(arrays), arrays);
  const OnlyArray bytes{{1, 2, 3}};
  EXPECT_EQ(round_trip(bytes), bytes);
}

TEST(Aggregate, ThatOnlyMovesComesBack) {
  Moves moves;
  moves.owner = std::make_unique<int>(3);
  moves.owners.push_back(std::make_unique<std::string>("text"));
  moves.owners.push_back(nullptr);
  const Moves back = round_trip(moves);
  EXPECT_EQ(*back.owner, 3);
  EXPECT_EQ(*back.owners.at(0), "text");
  EXPECT_EQ(back.owners.at(1), nullptr);
}

TEST(Aggregate, WithALargeArrayComesBack) {
  auto large = std::make_unique<Large>();
  large->text[99999] = 'x';
  large->after = "end";
  const auto back = round_trip(large);
  EXPECT_EQ(back->text[99999], 'x');
}

TEST(Aggregate, WithExplicitDefaultConstructorsComesBack) {
  const Handles handles{1, Handle(2), "3", Handle(4), Handle(5)};
  EXPECT_EQ(round_trip(handles), handles);
  EXPECT_EQ(round_trip(std::vector<Handles>{handles}).at(0), handles);
  EXPECT_EQ((round_trip(std::map<int, Handles>{{1, handles}}).at(1)), handles);
  const HandlesAndArrays arrays{"abc", Handle(1), {2, 3}, {Handle(4), Handle(5)}};
  EXPECT_EQ(round_trip(arrays), arrays);
}

TEST(Aggregate, OfItselfComesBack) {
  const Tree tree{1, {{2, {}}, {3, {{4, {}}}}}};
  EXPECT_EQ(round_trip(tree), tree);
  List list;
  list.next = std::make_unique<List>();
  list.next->value = 7;
  EXPECT_EQ(round_trip(list).next->value, 7);
}

TEST(Aggregate, WithAnEmptyBaseComesBack) {
  Tagged tagged;
  tagged.number = 4;
  tagged.text = "t";
  EXPECT_EQ(round_trip(tagged), tagged);
}

TEST(Aggregate, OfFortyFieldsComesBack) {
  Many many{};
  many.a0 = 1;
  many.d8 = 2;
  many.last = "last";
  EXPECT_EQ(round_trip(many), many);
}

TEST(Aggregate, TemplatesComeBack) {
  const Boxed<std::vector<Boxed<std::string>>> box{{{"a", 1}, {"b", 2}}, 3};
  EXPECT_EQ(round_trip(box), box);
}

TEST(Aggregate, LocalToAFunctionComesBack) {
  struct Local {
    int number;
    std::string text;
  };
  const Local back = round_trip(Local{3, "x"});
  EXPECT_EQ(back.number, 3);
  EXPECT_EQ(back.text, "x");
}

}  // namespace
