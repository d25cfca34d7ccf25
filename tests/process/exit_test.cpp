#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "process/program.hpp"
#include "process/support.hpp"

namespace process_test {
namespace {

using Exit = EachMethod;
PROCESSION_BY_PROCESS_METHODS(Exit);
using Ending = EachMethod;
PROCESSION_BY_ALL_METHODS(Ending);

void be_up_for_ever(std::uint64_t place) {
  board<Flags>(place).up = true;
  sleep_for_ever();
}

void fail() { throw std::runtime_error("the disk is full"); }

TEST_P(Ending, AnUncaughtExceptionIsReportedAndGivesOne) {
  const CapturedStderr captured;
  mp::Process process({.name = "writer", .start_method = GetParam()}, fail);
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 1);
  const std::string text = captured.text();
  EXPECT_NE(text.find("Process writer:\n"), std::string::npos) << text;
  EXPECT_NE(text.find("std::runtime_error: the disk is full"), std::string::npos) << text;
}

TEST_P(Ending, WhatIsThrownNeedNotBeAnException) {
  const CapturedStderr captured;
  EXPECT_EQ(exitcode_of(GetParam(), [] { throw 42; }), 1);
  EXPECT_NE(captured.text().find("int"), std::string::npos) << captured.text();
}

bool readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

TEST_P(Ending, MakesTheSentinelReadable) {
  const Board<Flags> flags;
  mp::Process process({.start_method = GetParam()}, wait_for_go, flags.place());
  process.start();
  wait_until([&] { return flags->up.load(); });
  EXPECT_FALSE(readable(process.sentinel()));
  EXPECT_FALSE(process.exitcode().has_value());
  flags->go = true;
  pollfd entry{process.sentinel(), POLLIN, 0};
  while (::poll(&entry, 1, -1) < 0) {
  }
  EXPECT_TRUE(process.join(mp::Duration::zero()))
      << "it has ended when the sentinel says so, and polling is enough";
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_TRUE(readable(process.sentinel())) << "it stays readable";
}

TEST_P(Exit, ExitGivesItsCode) {
  EXPECT_EQ(exitcode_of(GetParam(), [] { std::exit(7); }), 7);
  EXPECT_EQ(exitcode_of(GetParam(), [] { std::exit(0); }), 0);
  EXPECT_EQ(exitcode_of(GetParam(), [] { ::_exit(9); }), 9);
}

TEST_P(Exit, AbortGivesItsSignal) {
  const auto code = exitcode_of(GetParam(), [] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::abort();
  });
  EXPECT_EQ(code, -SIGABRT);
}

TEST_P(Exit, SignalsGiveTheirNumbers) {
  const auto ended_by = [&](void (mp::Process::*end)()) {
    const Board<Flags> flags;
    mp::Process process = started(GetParam(), be_up_for_ever, flags.place());
    wait_until([&] { return flags->up.load(); });
    (process.*end)();
    process.join();
    return process.exitcode();
  };
  struct sigaction before{};
  ::sigaction(SIGINT, nullptr, &before);
  EXPECT_EQ(ended_by(&mp::Process::kill), -SIGKILL);
  EXPECT_EQ(ended_by(&mp::Process::terminate), -SIGTERM);
  if (before.sa_handler == SIG_DFL) {  // else, as in a shell's background job, it is inherited
    EXPECT_EQ(ended_by(&mp::Process::interrupt), -SIGINT);
  }
}

TEST_P(Exit, ASignalBeforeTheChildIsUpEndsItToo) {
  for (int i = 0; i < 20; ++i) {
    mp::Process process = started(GetParam(), sleep_for_ever);
    process.terminate();
    process.join();
    EXPECT_EQ(process.exitcode(), -SIGTERM);
  }
}

TEST_P(Exit, SignalsToTheEndedDoNothing) {
  mp::Process process = started(GetParam(), [] {});
  process.join();
  process.terminate();
  process.kill();
  process.interrupt();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST(ThreadMethod, CannotBeEndedFromOutside) {
  const Board<Flags> flags;
  mp::Process process({.name = "worker", .start_method = StartMethod::thread}, wait_for_go,
                      flags.place());
  process.start();
  const std::string text = text_of<mp::ProcessError>([&] { process.terminate(); });
  EXPECT_NE(text.find("'worker'"), std::string::npos) << text;
  EXPECT_NE(text.find("another method"), std::string::npos) << text;
  flags->go = true;
  process.join();
}

/// What this process and a child that runs `function` print together, this one first.
std::string printed_with(StartMethod method, void (*function)(const std::string&),
                         const std::string& text) {
  const Folder folder;
  const int before = ::fcntl(1, F_DUPFD_CLOEXEC, 3);
  std::fflush(stdout);
  const int file = ::open(folder.file("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  ::dup2(file, 1);
  ::close(file);
  std::printf("parent,");  // still in the buffer when the child starts
  const auto code = exitcode_of(method, function, text);
  std::cout.flush();
  std::fflush(stdout);
  ::dup2(before, 1);
  ::close(before);
  EXPECT_EQ(code, 0);
  return text_of_file(folder.file("out"));
}

void print(const std::string& text) { std::printf("%s", text.c_str()); }

TEST_P(Ending, WhatWasPrintedIsWritten) {
  EXPECT_EQ(printed_with(GetParam(), print, "child"), "parent,child");
}

void stream(const std::string& text) { std::cout << text; }

TEST_P(Ending, WhatWasStreamedIsWritten) {
  EXPECT_EQ(printed_with(GetParam(), stream, "child"), "parent,child");
}

// These change std::cout for the rest of a process: in one that is shared with other tests, not.
class EndingApart : public EachMethod {};
PROCESSION_BY_PROCESS_METHODS(EndingApart);

void stream_unsynchronised(const std::string& text) {
  std::ios::sync_with_stdio(false);
  std::cout << text;
}

TEST_P(EndingApart, WhatAStreamOfItsOwnBufferHoldsIsWritten) {
  EXPECT_EQ(printed_with(GetParam(), stream_unsynchronised, "child"), "parent,child");
}

// ---- by fork, beside a thread that prints

void (*print_late)() = nullptr;

/// Calls it in the middle of a fork, as if by another thread: what was printed before is written.
void print_in_fork(void (*function)()) {
  [[maybe_unused]] static const int added = ::pthread_atfork(
      [] {
        if (print_late != nullptr) {
          print_late();
        }
      },
      nullptr, nullptr);
  print_late = function;
}

TEST(EndingByFork, WhatTheParentPrintsMeanwhileIsWrittenOnce) {
  print_in_fork([] { std::printf("late,"); });
  EXPECT_EQ(printed_with(StartMethod::fork, print, "child,"), "parent,child,late,");
  print_in_fork(nullptr);
}

void stream_in_fork() {
  std::ios::sync_with_stdio(false);
  print_in_fork([] { std::cout << "late,"; });
  const std::string printed = printed_with(StartMethod::fork, stream, "child,");
  if (printed != "parent,child,late,") {
    throw std::runtime_error(printed);
  }
}

TEST(EndingByFork, WhatTheParentStreamsMeanwhileIsWrittenOnce) {
  EXPECT_EQ(exitcode_of(StartMethod::spawn, stream_in_fork), 0);  // see EndingApart
}

void stream_elsewhere(const std::string& text) {
  static std::filebuf buffer;
  buffer.open("/dev/stdout", std::ios::out | std::ios::app);
  std::cout.rdbuf(&buffer);
  std::cout << text;
}

TEST_P(EndingApart, WhatABufferOfTheProgramsHoldsIsWritten) {
  EXPECT_EQ(printed_with(GetParam(), stream_elsewhere, "child"), "parent,child");
}

}  // namespace
}  // namespace process_test
