// Where a program and its children stand: executed through the dynamic loader, or in another root.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "process/program.hpp"
#include "process/support.hpp"

namespace process_test {
namespace {

/// The loader that this program names; empty for a static one.
std::string loader() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    const std::size_t path = line.find('/');
    if (path != std::string::npos && line.find("/ld-linux", path) != std::string::npos) {
      return line.substr(path);
    }
  }
  return "";
}

TEST(Place, ChildrenOfAProgramThatTheLoaderExecuted) {
  if (kSanitized) GTEST_SKIP() << "sanitizers execute themselves anew";
  const std::string path = loader();
  ASSERT_NE(path, "");
  Program program(path, {beside_tests("place_program"), "loader"});
  const std::string out = program.rest();
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(out,
            "outside\nforkserver: 0\noutside\nforkserver: 0\noutside\nspawn: 0\noutside\nfork: 0\n")
      << program.errors();
}

using PlaceOfAFile = testing::TestWithParam<const char*>;
INSTANTIATE_TEST_SUITE_P(Is, PlaceOfAFile,
                         testing::Values("renamed", "deleted", "renamed_later", "deleted_later"),
                         [](const auto& of) { return std::string(of.param); });

TEST_P(PlaceOfAFile, IsNotNeededToStartChildren) {
  const Folder folder;
  const std::string file = folder.file("program");
  std::filesystem::copy_file(beside_tests("place_program"), file);
  Program program(file, {GetParam()});
  const std::string out = program.rest();
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(out,
            "outside\nforkserver: 0\noutside\nforkserver: 0\noutside\nspawn: 0\noutside\nfork: 0\n"
            "pool: 2\n")
      << program.errors();
  EXPECT_FALSE(std::filesystem::exists(file));
}

/// What the kernel executed is the loader then, and no descriptor names the program.
TEST(Place, AProgramThatTheLoaderExecutedNeedsItsFile) {
  if (kSanitized) GTEST_SKIP() << "sanitizers execute themselves anew";
  const Folder folder;
  const std::string file = folder.file("program");
  std::filesystem::copy_file(beside_tests("place_program"), file);
  Program program(loader(), {file, "delete_under_loader", file});
  const std::string out = program.rest();
  EXPECT_EQ(program.wait(), 0);
  EXPECT_EQ(out.rfind("forkserver: refused: ", 0), 0U) << out;
  EXPECT_NE(out.find("its file " + file), std::string::npos) << out;
  EXPECT_NE(out.find("leave it in its place"), std::string::npos) << out;
  EXPECT_NE(out.find("outside\nfork: 0\n"), std::string::npos) << out;
}

TEST(Place, NoChildIsOutsideOfTheRootOfItsParent) {
  const Folder folder;
  ::mkdir(folder.file("here").c_str(), 0777);
  const Outcome outcome = run_program("place_program", {"root", folder.path()});
  if (outcome.out.find("skip") != std::string::npos) GTEST_SKIP() << "chroot() is not permitted";
  const std::string inside = outcome.out.substr(outcome.out.find("forkserver: 0\n") + 14);
  EXPECT_EQ(inside.find("outside"), std::string::npos) << outcome.out;
  EXPECT_NE(inside.find("forkserver: refused: "), std::string::npos) << outcome.out;
  EXPECT_NE(inside.find("is /proc mounted"), std::string::npos) << outcome.out;
  EXPECT_NE(inside.find("inside\nfork: 0\n"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace process_test
