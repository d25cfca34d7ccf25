// Elements of ranges that are no plain values: of maps, of several ranges at once, views of others.

#include <cstddef>
#include <list>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kinds.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

using Ages = std::map<std::string, int>;

int age_of(const std::pair<const std::string, int>& entry) { return entry.second; }
std::string named(const std::string& name, int age) { return name + std::to_string(age); }

template <class Kind>
class PoolRanges : public testing::Test {
 protected:
  Kind pool_{2};
  const Ages ages_{{"ann", 30}, {"bob", 41}, {"cat", 5}};
};
TYPED_TEST_SUITE(PoolRanges, PoolKinds, PoolKindNames);

TYPED_TEST(PoolRanges, MapOverAMap) {
  const std::vector<int> expected{30, 41, 5};
  EXPECT_EQ(this->pool_.map(age_of, this->ages_), expected);
  EXPECT_EQ(this->pool_.map([](const auto& entry) { return entry.second; }, this->ages_), expected);
  EXPECT_EQ(this->pool_.map([](std::pair<std::string, int> entry) { return entry.second; },
                            this->ages_, {.chunksize = 1}),
            expected);
  Ages changing = this->ages_;
  EXPECT_EQ(this->pool_.map(age_of, changing), expected);
  EXPECT_EQ(this->pool_.map(age_of, Ages{{"dan", 7}}), std::vector{7});
}

TYPED_TEST(PoolRanges, StarmapOverAMap) {
  const std::vector<std::string> expected{"ann30", "bob41", "cat5"};
  EXPECT_EQ(this->pool_.starmap(named, this->ages_), expected);
  const std::unordered_map<int, int> pairs{{3, 4}};
  EXPECT_EQ(this->pool_.starmap([](int a, int b) { return a * b; }, pairs), std::vector{12});
}

TYPED_TEST(PoolRanges, ImapOverAMap) {
  std::vector<int> seen;
  for (const int age : this->pool_.imap(age_of, this->ages_))
    seen.push_back(age);
  EXPECT_EQ(seen, (std::vector<int>{30, 41, 5}));
  int sum = 0;
  for (const int age : this->pool_.imap_unordered(age_of, this->ages_ | std::views::all)) {
    sum += age;
  }
  EXPECT_EQ(sum, 76);
}

TYPED_TEST(PoolRanges, AMapInAMap) {
  const std::map<int, std::pair<const int, std::string_view>> nested{{1, {2, "three"}}};
  EXPECT_EQ(this->pool_.map(
                [](const auto& entry) {
                  return entry.second.second + std::to_string(entry.first + entry.second.first);
                },
                nested),
            std::vector<std::string>{"three3"});
}

TYPED_TEST(PoolRanges, ElementsThatAreReferencesOrConst) {
  const std::vector<std::string> names{"ann", "bob"};
  const std::vector<int> ages{30, 41};
  // As std::views::zip of C++23 makes them.
  auto both = std::views::iota(std::size_t{0}, names.size()) |
              std::views::transform([&](std::size_t i) { return std::tie(names[i], ages[i]); });
  EXPECT_EQ(this->pool_.starmap(named, both), (std::vector<std::string>{"ann30", "bob41"}));
  EXPECT_EQ(this->pool_.map(
                [](const std::tuple<std::string, int>& one) { return std::get<1>(one); }, both),
            ages);
  const std::list<std::tuple<const int, std::string_view>> views{{1, "one"}, {2, "two"}};
  EXPECT_EQ(this->pool_.map([](const auto& one) { return std::get<1>(one); }, views),
            (std::vector<std::string>{"one", "two"}));
  const std::set<const char*> words{"word"};
  EXPECT_EQ(this->pool_.map([](const std::string& word) { return word.size(); }, words),
            std::vector<std::size_t>{4});
  const std::vector<bool> bits{true, false};
  EXPECT_EQ(this->pool_.map([](bool bit) { return bit ? 1 : 2; }, bits), (std::vector<int>{1, 2}));
}

TYPED_TEST(PoolRanges, AResultAndAnArgumentOfTheKind) {
  const auto first = [](const std::map<int, int>& all) { return *all.begin(); };
  const std::pair<int, int> found = this->pool_.apply(first, std::map<int, int>{{1, 2}});
  EXPECT_EQ(found, std::pair(1, 2));
  EXPECT_EQ(this->pool_.apply(age_of, *this->ages_.begin()), 30);
}

}  // namespace
}  // namespace procession::pooltest
