// Workers and daemons that do not end when they are asked to are killed together.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "process/grace_period.hpp"
#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

/// How long the first of these processes lived less than the last one. The one that was stopped
/// wrote nothing at all in the end.
Duration between_ends(const process_test::Folder& folder, const std::string& kind) {
  std::vector<Duration::rep> ends;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kind) && name != "worker1") {
      const std::string text = process_test::text_of_file(entry.path());
      ends.emplace_back();
      std::memcpy(&ends.back(), text.data(), sizeof ends.back());
    }
  }
  EXPECT_EQ(ends.size(), 3U);
  const auto [first, last] = std::minmax_element(ends.begin(), ends.end());
  return Duration(*last - *first);
}

class OneGrace : public testing::TestWithParam<const char*> {};

TEST_P(OneGrace, ForAll) {
  const process_test::Folder folder;
  const auto outcome =
      process_test::run_program("grace_period_program", {GetParam(), folder.path()});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_LT(between_ends(folder, "worker"), process::kWorkersGracePeriod);
  if (std::string(GetParam()) == "end") {
    EXPECT_LT(between_ends(folder, "daemon"), process::kGracePeriod);
  }
}

INSTANTIATE_TEST_SUITE_P(By, OneGrace, testing::Values("terminate", "destroy", "end"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace procession::pooltest
