// Text that goes to descriptors of the user's: where there is no room yet, and where nobody reads.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "platform/report.hpp"
#include "platform/streams.hpp"
#include "support.hpp"

namespace procession::platform {
namespace {

struct Ends {
  explicit Ends(int flags = 0) {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0 || ::fcntl(ends[1], F_SETFL, flags) != 0) {
      std::abort();
    }
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    close_reader();
    close_writer();
  }
  void close_reader() { close(ends[0]); }
  void close_writer() { close(ends[1]); }
  static void close(int& end) {
    if (end >= 0) {
      ::close(std::exchange(end, -1));
    }
  }
  [[nodiscard]] std::string read(std::size_t size) const {
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() < size) {
      const ssize_t got = ::read(ends[0], part.data(), part.size());
      if (got <= 0) {
        break;
      }
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  std::array<int, 2> ends{-1, -1};
};

/// More than a pipe takes.
std::string much() {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  return text;
}

/// Runs it in a copy of this process whose standard output is `out`; its exit code.
template <class Run>
int in_copy(int out, Run run) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(out, 1);
    ::dup2(out, 2);
    forget_unwritten();
    run();
    ::_exit(7);
  }
  return exit_code_of(child);
}

TEST(WriteText, WaitsForRoomInANonBlockingStream) {
  const Ends pipe(O_NONBLOCK);
  const std::string text = much();
  std::thread writer([&] { write_text(pipe.ends[1], text); });
  EXPECT_TRUE(pipe.read(text.size()) == text);
  writer.join();
}

TEST(WriteText, GivesUpWhenThereIsNoRoomForSoLong) {
  const Ends pipe(O_NONBLOCK);
  const std::string text = much();
  errno = ENOENT;
  write_text(pipe.ends[1], text, std::chrono::milliseconds(1));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(pipe.read(1), text.substr(0, 4096));
}

TEST(WriteText, ToNobodyIsNoSignal) {
  for (const int flags : {0, O_NONBLOCK}) {
    Ends pipe(flags);
    pipe.close_reader();
    EXPECT_EQ(in_copy(pipe.ends[1], [] { write_to_stderr("text"); }), 7) << flags;
  }
}

TEST(WriteText, LeavesASignalThatWaitsForAnother) {
  Ends pipe;
  pipe.close_reader();
  const auto waits_still = [&] {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::raise(SIGPIPE);
    write_to_stderr("text");
    ::sigpending(&set);
    ::_exit(::sigismember(&set, SIGPIPE) == 1 ? 8 : 9);
  };
  EXPECT_EQ(in_copy(pipe.ends[1], waits_still), 8);
}

TEST(FlushStreams, ToNobodyIsNoSignal) {
  for (const int flags : {0, O_NONBLOCK}) {
    for (const bool synced : {true, false}) {
      Ends pipe(flags);
      pipe.close_reader();
      const auto print = [&] {
        std::ios::sync_with_stdio(synced);
        std::cout.exceptions(std::ios::badbit);
        std::cout << "text";
        if (!synced) {
          std::clog << "text";
        }
        std::printf("text");
        flush_streams();
      };
      EXPECT_EQ(in_copy(pipe.ends[1], print), 7) << flags << synced;
    }
  }
}

TEST(FlushStreams, WaitsForRoomInANonBlockingStream) {
  Ends pipe(O_NONBLOCK);
  const std::string text = much();
  std::string seen;
  std::thread reader([&] { seen = pipe.read(text.size()); });
  const auto print = [&] {
    // By itself, stdio loses what a non-blocking stream has no room for as soon as it is full.
    std::vector<char> buffer(2 * text.size());
    std::setvbuf(stdout, buffer.data(), _IOFBF, buffer.size());
    std::fputs(text.c_str(), stdout);
    flush_streams();
    ::_exit(7);
  };
  EXPECT_EQ(in_copy(pipe.ends[1], print), 7);
  pipe.close_writer();
  reader.join();
  EXPECT_TRUE(seen == text) << seen.size();
}

TEST(FlushStreams, HeldTextTellsOfStandardOutput) {
  const Ends pipe;
  const auto tells = [] {
    const HeldText held = held_text();
    if (*held.begin != *held.end) ::_exit(1);
    std::cout << "text";
    if (*held.begin == *held.end) ::_exit(2);
    flush_streams();
    if (*held.begin != *held.end) ::_exit(3);
    std::ios::sync_with_stdio(false);
    const HeldText other = held_text();
    if (*other.begin == *other.end) ::_exit(4);
  };
  EXPECT_EQ(in_copy(pipe.ends[1], tells), 7);
  EXPECT_EQ(pipe.read(4), "text");
}

}  // namespace
}  // namespace procession::platform
