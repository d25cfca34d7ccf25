#include <filesystem>
#include <string>

#include "process/program.hpp"
#include "process/support.hpp"

namespace words {
void write_words(const std::string& path, const std::string& words);
}

// Functions that live in shared libraries, and images that are not the same in parent and child.
namespace process_test {
namespace {

using Library = EachMethod;
PROCESSION_BY_ALL_METHODS(Library);

TEST_P(Library, AFunctionOfALinkedLibraryIsFound) {
  const Folder folder;
  mp::Process process({.start_method = GetParam()}, words::write_words, folder.file("said"),
                      "hello");
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(text_of_file(folder.file("said")),
            "hello from the library in " + std::to_string(process.pid()));
}

TEST_P(Library, ABoundFunctionOfALinkedLibraryIsFound) {
  const Folder folder;
  EXPECT_EQ(exitcode_of(GetParam(), mp::bind(words::write_words, folder.file("said")),
                        std::string("bound")),
            0);
  EXPECT_EQ(text_of_file(folder.file("said")).rfind("bound", 0), 0U);
}

bool executes_anew(StartMethod method) {
  return method == StartMethod::forkserver || method == StartMethod::spawn;
}

TEST_P(Library, OneThatTheChildLacksIsNamed) {
  const Outcome outcome = run_program(
      "library_program", {mp::to_string(GetParam()), "missing", beside_tests("libplugin_lib.so")});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  if (!executes_anew(GetParam())) {
    EXPECT_EQ(outcome.out, "0\n") << outcome.err;
    return;
  }
  EXPECT_EQ(outcome.out, "1\n");
  for (const char* part : {"Process guest:", "libplugin_lib.so", "build id",
                           "not loaded in this process", "set_forkserver_preload()"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
  }
}

TEST_P(Library, AnotherBuildOfItInTheChildIsNamed) {
  const Folder folder;
  const std::string plugin = folder.file("libplugin.so");
  std::filesystem::copy_file(beside_tests("libplugin_lib.so"), plugin);
  const Outcome outcome = run_program(
      "library_program",
      {mp::to_string(GetParam()), "replaced", plugin, beside_tests("libplugin_rebuilt_lib.so")},
      {"PLUGIN=" + plugin});
  EXPECT_EQ(outcome.exitcode, 0) << outcome.err;
  if (!executes_anew(GetParam())) {
    EXPECT_EQ(outcome.out, "0\n") << outcome.err;
    return;
  }
  EXPECT_EQ(outcome.out, "1\n");
  for (const char* part :
       {"Process guest:", "libplugin.so", "another build", "restart the program"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
  }
}

TEST_P(Library, AProgramThatIsBuiltAnewWhileItRunsStillStartsItself) {
  const Folder folder;
  const std::string program = folder.file("program");
  std::filesystem::copy_file(beside_tests("library_program"), program);
  Program running(program, {mp::to_string(GetParam()), "program", beside_tests("noinit_program")});
  EXPECT_EQ(running.rest(), "0\n");
  EXPECT_EQ(running.wait(), 0) << running.errors();
}

}  // namespace
}  // namespace process_test
