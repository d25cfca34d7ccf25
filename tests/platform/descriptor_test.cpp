#include "platform/descriptor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "procession/error.hpp"

namespace procession::platform {
namespace {

int open_null(int flags = O_CLOEXEC) { return ::open("/dev/null", O_RDWR | flags); }

/// In a child, whose descriptors are no other test's: the exit code of `body`.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Descriptor, ClosesWhatItOwns) {
  int number = -1;
  {
    const Descriptor owner(open_null());
    number = owner.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Descriptor, MovesAndReleases) {
  Descriptor first(open_null());
  const int number = first.get();
  Descriptor second(std::move(first));
  EXPECT_FALSE(static_cast<bool>(first));  // NOLINT
  EXPECT_EQ(second.get(), number);
  Descriptor third(open_null());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_EQ(third.release(), number);
  EXPECT_FALSE(static_cast<bool>(third));
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(Descriptor, DuplicatesAreClosedOnExecAndAsHighAsAsked) {
  const Descriptor original(open_null(0));
  const Descriptor copy = duplicate(original.get(), 50);
  EXPECT_GE(copy.get(), 50);
  EXPECT_NE(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Descriptor, DuplicateWithoutRoomNamesTheLimit) {
  EXPECT_EQ(
      in_child([] {
        const rlimit few{3, 3};
        ::setrlimit(RLIMIT_NOFILE, &few);
        try {
          const Descriptor copy = duplicate(0);
        } catch (const ProcessError& error) {
          return std::string(error.what()).find("RLIMIT_NOFILE is 3") != std::string::npos ? 7 : 2;
        }
        return 1;
      }),
      7);
}

TEST(Descriptor, ReplaceKeepsTheNumberAcrossExec) {
  const Descriptor original(open_null());
  Descriptor place(open_null());
  replace(place.get(), original.get());
  EXPECT_EQ(::fcntl(place.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Descriptor, ClearOfStandardMovesOnlyStandardOnes) {
  Descriptor high(open_null());
  const int number = high.get();
  EXPECT_EQ(clear_of_standard(std::move(high)).get(), number);
  EXPECT_FALSE(static_cast<bool>(clear_of_standard(Descriptor())));
  EXPECT_EQ(in_child([] {
              ::close(0);
              const Descriptor moved = clear_of_standard(Descriptor(open_null()));
              return moved.get() > 2 && is_open(moved.get()) && !is_open(0) ? 7 : 1;
            }),
            7);
}

TEST(Descriptor, FillsTheStandardOnesThatAreClosed) {
  EXPECT_EQ(in_child([] {
              const Descriptor first_free(open_null());
              const int expected = first_free.get();
              ::close(0);
              ::close(2);
              ::close(expected);
              fill_standard_descriptors();
              const bool filled = is_open(0) && is_open(1) && is_open(2);
              return filled && !is_open(expected) ? 7 : 1;
            }),
            7);
}

TEST(Descriptor, WorkingDirectoryCanBeEnteredAgain) {
  EXPECT_EQ(in_child([] {
              const auto before = std::filesystem::current_path();
              const Descriptor folder = working_directory();
              std::filesystem::current_path("/");
              change_directory(folder.get());
              return std::filesystem::current_path() == before ? 7 : 1;
            }),
            7);
}

}  // namespace
}  // namespace procession::platform
