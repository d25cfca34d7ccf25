// What runs at the end of a child that calls std::exit: what it has made itself.

#include <cstdlib>
#include <fstream>
#include <string>

#include "process/program.hpp"
#include "process/support.hpp"
#include "procession/pool.hpp"

namespace process_test {
namespace {

using ChildExit = EachMethod;
PROCESSION_BY_PROCESS_METHODS(ChildExit);

std::string told_file;  ///< set in the child alone

void tell(const char* what) {
  if (!told_file.empty()) {
    std::ofstream(told_file, std::ios::app) << what << ",";
  }
}

struct Witness {
  explicit Witness(const char* of) : name(of) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { tell(name); }
  const char* name;
};

/// Of the parent, as a child by fork has it; of the part before init(), for others.
const Witness static_witness("static");
const int registered = std::atexit([] { tell("registered before main"); });

void exit_with_seven(const std::string& file) {
  told_file = file;
  static const Witness mine("made in the child");
  std::atexit([] { tell("registered in the child"); });
  std::printf("printed");
  std::exit(7);
}

TEST_P(ChildExit, RunsWhatTheChildHasMadeAndNothingElse) {
  ASSERT_EQ(registered, 0);
  std::atexit([] { tell("registered in the parent"); });
  static const Witness of_parent("made in the parent");
  const Folder folder;
  EXPECT_EQ(exitcode_of(GetParam(), exit_with_seven, folder.file("told")), 7);
  EXPECT_EQ(text_of_file(folder.file("told")), "registered in the child,made in the child,");
}

const int registered_quick = std::at_quick_exit([] { tell("quick before main"); });

void exit_quickly_with_seven(const std::string& file) {
  told_file = file;
  static const Witness mine("made in the child");
  std::atexit([] { tell("registered in the child"); });
  std::at_quick_exit([] { tell("first of the child"); });
  std::at_quick_exit([] { tell("second of the child"); });
  std::quick_exit(7);
}

TEST_P(ChildExit, ByQuickExitRunsTheChildsHandlersOfThatAndNothingElse) {
  ASSERT_EQ(registered_quick, 0);
  std::at_quick_exit([] { tell("of the parent"); });
  const Folder folder;
  EXPECT_EQ(exitcode_of(GetParam(), exit_quickly_with_seven, folder.file("told")), 7);
  EXPECT_EQ(text_of_file(folder.file("told")), "second of the child,first of the child,");
}

// A handler of the parent's would remove the parent's file, say.
TEST_P(ChildExit, ByQuickExitInATaskRunsNothingOfTheParent) {
  std::at_quick_exit([] { tell("of the parent"); });
  const Folder folder;
  mp::Pool pool({.processes = 1, .start_method = GetParam()});
  EXPECT_THROW(pool.apply(exit_quickly_with_seven, folder.file("told")), mp::WorkerLost);
  EXPECT_EQ(text_of_file(folder.file("told")), "second of the child,first of the child,");
}

void start_one_that_exits(StartMethod method, const std::string& file) {
  told_file = file;
  std::atexit([] { tell("of the child"); });
  mp::Process inner({.start_method = method}, [] {
    std::atexit([] { tell("of the grandchild"); });
    std::exit(5);
  });
  inner.start();
  inner.join();
  std::exit(inner.exitcode() == 5 ? 6 : 1);
}

TEST_P(ChildExit, IsThatOfEachGenerationAlone) {
  if (GetParam() != StartMethod::fork) {
    GTEST_SKIP() << "others do not have the name of the file from their parents";
  }
  const Folder folder;
  EXPECT_EQ(exitcode_of(GetParam(), start_one_that_exits, GetParam(), folder.file("told")), 6);
  EXPECT_EQ(text_of_file(folder.file("told")), "of the grandchild,of the child,");
}

}  // namespace
}  // namespace process_test
