// Containers in a manager: every member of each.

#include <array>
#include <chrono>
#include <map>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "manager/support.hpp"

namespace manager_test {
namespace {

class Contained : public Managed {};
PROCESSION_BY_ALL_METHODS(Contained);

using Ints = std::vector<int>;
using Words = std::vector<std::string>;

TEST_P(Contained, Dict) {
  const mp::Manager manager = make_manager();
  const auto dict = manager.dict<std::string, int>({{"b", 2}, {"a", 1}});
  using Items = std::vector<std::pair<std::string, int>>;
  EXPECT_EQ(dict.items(), (Items{{"b", 2}, {"a", 1}})) << "in the order of their expected";
  EXPECT_EQ(dict.get("a"), 1);
  EXPECT_EQ(dict.get("c", 7), 7);
  EXPECT_EQ(dict.get("b", 7), 2);
  EXPECT_NE(text_of<mp::KeyError>([&] { static_cast<void>(dict.get("c")); }).find("\"c\""),
            std::string::npos);
  dict.set("c", 3);
  dict.set("b", 20);
  EXPECT_EQ(dict.keys(), (Words{"b", "a", "c"}));
  EXPECT_EQ(dict.values(), (Ints{20, 1, 3}));
  EXPECT_EQ(dict.set_default("c", 5), 3);
  EXPECT_EQ(dict.set_default("d", 5), 5);
  EXPECT_TRUE(dict.contains("d"));
  EXPECT_TRUE(dict.erase("d"));
  EXPECT_FALSE(dict.erase("d"));
  EXPECT_FALSE(dict.contains("d"));
  EXPECT_EQ(dict.pop("c"), 3);
  EXPECT_THROW(dict.pop("c"), mp::KeyError);
  EXPECT_EQ(dict.pop("c", 9), 9);
  EXPECT_EQ(dict.pop("b", 9), 20);
  EXPECT_EQ(dict.size(), 1);
  dict.update(std::map<std::string, int>{{"x", 1}, {"y", 2}});
  dict.update({{"y", 3}, {"z", 4}});
  EXPECT_EQ(dict.items(), (Items{{"a", 1}, {"x", 1}, {"y", 3}, {"z", 4}}));
  EXPECT_EQ(dict.pop_item(), (std::pair<std::string, int>{"z", 4}));
  dict.clear();
  EXPECT_TRUE(dict.empty());
  EXPECT_THROW(dict.pop_item(), mp::KeyError);
}

struct Square {
  int row = 0;
  int column = 0;
  friend auto operator<=>(const Square&, const Square&) = default;
};

TEST_P(Contained, DictWhoseKeysHaveAnOrderOnly) {
  const mp::Manager manager = make_manager();
  const auto board = manager.dict<Square, char>();
  board.set({1, 2}, 'x');
  board.set({1, 1}, 'o');
  board.set({1, 2}, 'o');
  EXPECT_EQ(board.get({1, 2}), 'o');
  EXPECT_EQ(board.size(), 2);
}

TEST_P(Contained, IterationIsOverASnapshot) {
  const mp::Manager manager = make_manager();
  const auto list = manager.list<int>({1, 2, 3});
  int sum = 0;
  for (int x : list) {
    list.append(x);
    sum += x;
  }
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(list.values(), (Ints{1, 2, 3, 1, 2, 3}));
  const auto dict = manager.dict<int, int>({{1, 10}, {2, 20}});
  for (const auto& [key, value] : dict) {
    dict.set(value, key);
    dict.erase(key);
  }
  EXPECT_EQ(dict.keys(), (Ints{10, 20}));
}

TEST_P(Contained, List) {
  const mp::Manager manager = make_manager();
  const auto list = manager.list<std::string>();
  list.append("one");
  list.extend(Words{"two", "three"});
  list.extend({"four"});
  EXPECT_EQ(list.get(0), "one");
  EXPECT_EQ(list.get(-1), "four");
  list.set(-2, "drei");
  list.insert(1, "one and a half");
  list.insert(-100, "zero");
  list.insert(100, "last");
  EXPECT_EQ(list.values(), (Words{"zero", "one", "one and a half", "two", "drei", "four", "last"}));
  EXPECT_EQ(list.pop(), "last");
  EXPECT_EQ(list.pop(0), "zero");
  list.erase(-1);
  EXPECT_EQ(list.size(), 4);
  EXPECT_THROW(static_cast<void>(list.get(4)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(list.get(-5)), std::out_of_range);
  EXPECT_THROW(list.set(4, ""), std::out_of_range);
  EXPECT_THROW(list.erase(4), std::out_of_range);
  list.clear();
  EXPECT_TRUE(list.empty());
  EXPECT_THROW(list.pop(), std::out_of_range);
}

TEST_P(Contained, Set) {
  const mp::Manager manager = make_manager();
  const auto set = manager.set<int>({3, 1, 3});
  EXPECT_EQ(set.values(), (Ints{1, 3}));
  EXPECT_TRUE(set.insert(2));
  EXPECT_FALSE(set.insert(2));
  EXPECT_TRUE(set.contains(2));
  EXPECT_TRUE(set.erase(2));
  EXPECT_FALSE(set.erase(2));
  set.update(std::set<int>{5, 6});
  set.update({7});
  EXPECT_EQ(set.size(), 5);
  int sum = 0;
  for (int x : set)
    sum += x;
  EXPECT_EQ(sum, 22);
  set.clear();
  EXPECT_TRUE(set.empty());
}

TEST_P(Contained, ValuesArraysAndNamespaces) {
  const mp::Manager manager = make_manager();
  const auto text = manager.value<std::string>("old");
  EXPECT_EQ(text.value(), "old");
  text.set_value("new");
  EXPECT_EQ(text += "er", "newer");
  EXPECT_EQ(text.value(), "newer");

  const auto array = manager.array<double>({1, 2, 3});
  array.set(-1, 4.5);
  EXPECT_EQ(array.get(2), 4.5);
  EXPECT_EQ(array.values(), (std::vector<double>{1, 2, 4.5}));
  EXPECT_EQ(array.size(), 3);
  EXPECT_THROW(array.set(3, 0), std::out_of_range);

  const auto ns = manager.ns();
  ns.set("limit", 10);
  ns.set("title", "text");
  EXPECT_EQ(ns.get<int>("limit"), 10);
  EXPECT_EQ(ns.get<std::string>("title"), "text");
  EXPECT_THROW(ns.get<double>("limit"), mp::TypeMismatch);
  EXPECT_THROW(ns.get<int>("none"), mp::KeyError);
  ns.set("limit", 2.5);
  EXPECT_EQ(ns.get<double>("limit"), 2.5);
  EXPECT_EQ(ns.names(), (Words{"limit", "title"}));
  EXPECT_TRUE(ns.contains("title"));
  EXPECT_TRUE(ns.erase("title"));
  EXPECT_FALSE(ns.erase("title"));
}

/// Read once only, and its elements are no Ts.
auto evens(int most) {
  return std::views::iota(0, most) | std::views::filter([](int x) { return x % 2 == 0; }) |
         std::views::transform([](int x) { return static_cast<long>(x); });
}

TEST_P(Contained, ListsOfAnyRange) {
  const mp::Manager manager = make_manager();
  const auto list = manager.list<int>(std::views::iota(0, 2));
  list.extend(evens(5));
  std::istringstream text("7 8");
  list.extend(std::views::istream<int>(text));
  const std::array<int, 1> nine{9};
  list.extend(nine);
  Ints tens{10};
  list.extend(tens);
  EXPECT_EQ(list.values(), (Ints{0, 1, 0, 2, 4, 7, 8, 9, 10}));
  const auto other = manager.list<int>({20});
  other.extend(list);
  other.extend(other);
  EXPECT_EQ(other.size(), 20);
  other.clear();
  other.extend(manager.set<int>({3, 1}));
  other.extend(manager.array<int>({5}));
  EXPECT_EQ(other.values(), (Ints{1, 3, 5}));
  EXPECT_EQ(manager.list<int>(other).values(), other.values());
  EXPECT_EQ(manager.array<int>(other).values(), other.values());
  EXPECT_EQ(manager.list<std::string>(std::set<const char*>{"x"}).values(), (Words{"x"}));
}

TEST_P(Contained, SetsAndDictsOfAnyRange) {
  const mp::Manager manager = make_manager();
  const auto set = manager.set<int>(evens(5));
  EXPECT_EQ(set.values(), (Ints{0, 2, 4}));
  set.update(std::views::iota(4, 6));
  set.update(manager.list<int>({9}));
  EXPECT_EQ(set.values(), (Ints{0, 2, 4, 5, 9}));
  EXPECT_EQ(manager.set<int>(set).size(), 5);

  using Items = std::vector<std::pair<int, std::string>>;
  const auto dict = manager.dict<int, std::string>(std::map<int, const char*>{{1, "a"}});
  dict.update(std::views::iota(2, 4) |
              std::views::transform([](int x) { return std::tuple(x, "b"); }));
  const auto other = manager.dict<int, std::string>(dict);
  other.update({{9, "z"}});
  dict.update(other);
  EXPECT_EQ(dict.items(), (Items{{1, "a"}, {2, "b"}, {3, "b"}, {9, "z"}}));
}

/// What `operate` does to a value here, and in a manager.
template <class T, class F>
void expect_as_in_cpp(const mp::Manager& manager, T start, F operate) {
  T plain = start;
  operate(plain);
  const auto value = manager.value<T>(start);
  operate(value);
  EXPECT_EQ(value.value(), plain);
}

// That plain C++ converts without a word is what this is about.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wfloat-conversion"
TEST_P(Contained, OperandsOfValuesStayAsTheyAre) {
  const mp::Manager manager = make_manager();
  expect_as_in_cpp<int>(manager, 2, [](auto& value) { value += 1.5; });
  expect_as_in_cpp<int>(manager, -3, [](auto& value) { value += 2.5; });
  expect_as_in_cpp<int>(manager, 2, [](auto& value) { value -= 0.5; });
  expect_as_in_cpp<int>(manager, -1, [](auto& value) { value += 3U; });
  expect_as_in_cpp<unsigned char>(manager, 250, [](auto& value) { value += 300.5; });
  expect_as_in_cpp<bool>(manager, true, [](auto& value) { value -= 1; });
  expect_as_in_cpp<bool>(manager, false, [](auto& value) { value += 0.25; });
  expect_as_in_cpp<long>(manager, 1L << 60, [](auto& value) { value += 1.0F; });
  expect_as_in_cpp<float>(manager, 1.0F, [](auto& value) { value += 1e-9; });
  expect_as_in_cpp<double>(manager, 1, [](auto& value) { value -= true; });
  expect_as_in_cpp<std::string>(manager, "a", [](auto& value) { value += "bc"; });
  expect_as_in_cpp<std::string>(manager, "a", [](auto& value) { value += 'b'; });
  expect_as_in_cpp<std::chrono::milliseconds>(manager, std::chrono::milliseconds(5),
                                              [](auto& value) { value += std::chrono::hours(1); });
  EXPECT_EQ(manager.value<int>(2) += 1.5, 3);
}
#pragma GCC diagnostic pop

using Nested = mp::DictProxy<std::string, mp::ListProxy<int>>;

TEST_P(Contained, AnObjectInAnotherLivesAsLongAsThat) {
  const mp::Manager manager = make_manager();
  const auto dict = manager.dict<std::string, mp::ListProxy<int>>();
  dict.set("a", manager.list<int>({1}));
  dict.set("b", manager.list<int>({2}));
  dict.get("a").append(10);
  mp::Process process = started(
      GetParam(),
      [](const Nested& shared, const mp::ListProxy<Nested>& all) {
        shared.get("b").append(20);
        all.append(shared);
      },
      dict, manager.list<Nested>());
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(dict.get("a").values(), (Ints{1, 10}));
  EXPECT_EQ(dict.get("b").values(), (Ints{2, 20}));
  process.close();
  wait_until([&] { return manager.number_of_objects() == 3; });
  dict.erase("a");
  EXPECT_EQ(manager.number_of_objects(), 2);
  dict.clear();
  EXPECT_EQ(manager.number_of_objects(), 1);
}

TEST_P(Contained, ObjectsGoWithTheOneThatHasThem) {
  const mp::Manager manager = make_manager();
  {
    const auto outer = manager.list<Nested>();
    for (int i = 0; i < 10; ++i) {
      const auto dict = manager.dict<std::string, mp::ListProxy<int>>();
      dict.set("list", manager.list<int>({i}));
      outer.append(dict);
    }
    EXPECT_EQ(manager.number_of_objects(), 21);
    EXPECT_EQ(outer.get(4).get("list").get(0), 4);
  }
  EXPECT_EQ(manager.number_of_objects(), 0);
}

}  // namespace
}  // namespace manager_test
