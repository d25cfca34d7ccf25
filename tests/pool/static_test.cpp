// Static objects that use the library before main(): threads work there; processes say what to do.

#include <filesystem>
#include <string>
#include <tuple>

#include "process/program.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

/// Where the object is.
enum class In { program, linked_library, loaded_library, late_library };

const char* name_of(In in) {
  constexpr const char* kNames[] = {"program", "linked_library", "loaded_library", "late_library"};
  return kNames[static_cast<int>(in)];
}

process_test::Outcome run_static(const std::string& what, In in) {
  if (in == In::program) return process_test::run_program("static_program", {}, {"STATIC=" + what});
  if (in == In::linked_library) {
    return process_test::run_program("static_linked_program", {}, {"STATIC=" + what});
  }
  // Another file, which is another library, with objects of its own.
  const process_test::Folder folder;
  const std::string plugin = folder.file("libplugin.so");
  std::filesystem::copy_file(process_test::beside_tests("libstatic_linked_lib.so"), plugin);
  process_test::Program::Words words{"STATIC_OF_PLUGIN=" + what, "PLUGIN=" + plugin};
  if (in == In::late_library) words.emplace_back("LATE=1");
  return process_test::run_program("static_linked_program", {}, words);
}

using StaticProcess = testing::TestWithParam<std::tuple<const char*, In>>;

TEST_P(StaticProcess, IsRefusedThereAndThen) {
  const auto [what, in] = GetParam();
  const process_test::Outcome outcome = run_static(what, in);
  EXPECT_EQ(outcome.exitcode, 0) << outcome.out << outcome.err;
  if (what == std::string("fork") && in == In::loaded_library) {
    // main() has begun, and a fork needs no init().
    EXPECT_EQ(outcome.out, "works\n16\n") << outcome.err;
    return;
  }
  EXPECT_EQ(outcome.out.rfind("NotInitialized: ", 0), 0U) << outcome.out;
  EXPECT_NE(outcome.out.find("procession::init();"), std::string::npos) << outcome.out;
  EXPECT_TRUE(outcome.out.ends_with("\n16\n")) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    By, StaticProcess,
    testing::Combine(testing::Values("pool", "executor", "manager", "forkserver", "spawn", "fork"),
                     testing::Values(In::program, In::linked_library, In::loaded_library)),
    [](const auto& of) {
      return std::get<0>(of.param) + std::string("_in_") + name_of(std::get<1>(of.param));
    });

using StaticObject = testing::TestWithParam<In>;

TEST_P(StaticObject, ThreadsWork) {
  const process_test::Outcome outcome = run_static("threads", GetParam());
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "works\n9\n16\n") << outcome.err;
}

/// The function of the process is the library's, which a child has that executes the program up to
/// init() or is a fork.
TEST_P(StaticObject, AQueueIsSharedWithProcessesThatAreStartedLater) {
  if (GetParam() == In::late_library) GTEST_SKIP() << "children do not have it";
  const process_test::Outcome outcome = run_static("queue", GetParam());
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "works\n6\n16\n") << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Of, StaticObject,
                         testing::Values(In::program, In::linked_library, In::loaded_library,
                                         In::late_library),
                         [](const auto& of) { return std::string(name_of(of.param)); });

}  // namespace
}  // namespace procession::pooltest
