// Run with a small heap (PROCESSION_HEAP): a pool with less memory than its tasks would like.
// Prints what goes wrong; ends with 0 when nothing does.

#include <cstdio>
#include <new>
#include <optional>
#include <ranges>
#include <string>

#include "procession/error.hpp"
#include "procession/init.hpp"
#include "procession/pool.hpp"

namespace mp = procession;

namespace {

constexpr std::size_t kMebi = std::size_t{1} << 20U;
int failures = 0;

void expect(bool truth, const char* what) {
  if (!truth) {
    std::fprintf(stderr, "%s\n", what);
    ++failures;
  }
}

template <class Call>
void expect_no_memory(Call call, const char* what) {
  try {
    call();
    expect(false, what);
  } catch (const std::bad_alloc&) {
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", what, error.what());
    ++failures;
  }
}

std::string make(std::size_t size) { return std::string(size, 'm'); }
std::size_t measure(const std::string& text) { return text.size(); }
/// The answer is larger than the question, which is larger than half of what is free.
std::string twice(const std::string& text) { return text + text; }

void use() {
  mp::Pool pool(2);
  const auto works = [&] { return pool.apply(make, std::size_t{1000}).size() == 1000; };
  expect(works(), "does not work at first");
  for (int round = 0; round < 6; ++round) {
    expect_no_memory([&] { pool.apply(make, 100 * kMebi); }, "a large result");
    expect_no_memory([&] { pool.apply(twice, make(14 * kMebi)); }, "a result larger than its task");
    expect_no_memory([&] { pool.apply(measure, make(100 * kMebi)); }, "a large argument");
    expect(works(), "does not work after it was out of memory");
  }
  expect_no_memory([&] { pool.map(make, std::vector<std::size_t>(50, kMebi)); },
                   "results that do not fit together");
  expect(works(), "does not work after a map");
  {
    // As many as there is room for.
    std::vector<mp::AsyncResult<std::string>> results;
    for (int i = 0; i < 50; ++i) {
      results.push_back(pool.apply_async(make, kMebi));
    }
    int made = 0;
    for (const auto& result : results) {
      try {
        made += result.get().size() == kMebi ? 1 : 0;
      } catch (const std::bad_alloc&) {
      }
    }
    expect(made > 5 && made < 50, "not as many results as there is room for");
  }
  expect(pool.apply(make, 8 * kMebi).size() == 8 * kMebi, "the memory did not come back");
  // A long series of what fits.
  for (int i = 0; i < 40; ++i) {
    expect(pool.apply(twice, make(4 * kMebi)).size() == 8 * kMebi, "a series");
  }
}

}  // namespace

int main() {
  mp::init();
  use();
  return failures == 0 ? 0 : 1;
}
