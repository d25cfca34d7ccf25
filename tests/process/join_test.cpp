#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "process/support.hpp"

namespace process_test {
namespace {

using std::chrono::milliseconds;

using Join = EachMethod;
PROCESSION_BY_ALL_METHODS(Join);

TEST_P(Join, GivesUpAtTheTimeout) {
  const Board<Flags> flags;
  mp::Process process = started(GetParam(), wait_for_go, flags.place());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(process.join(milliseconds(30)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(30));
  EXPECT_FALSE(process.join(mp::Duration::zero()));
  EXPECT_FALSE(process.exitcode().has_value());
  EXPECT_TRUE(process.is_alive());
  flags->go = true;
  EXPECT_TRUE(process.join(mp::Duration::max()));
  EXPECT_TRUE(process.join(mp::Duration::zero())) << "as often as one likes";
  EXPECT_EQ(process.exitcode(), 0);
}

TEST_P(Join, ManyThreadsSeeTheSameExitCode) {
  constexpr int kThreads = 16;
  const int expected = GetParam() == StartMethod::thread ? 0 : 7;
  for (int round = 0; round < 5; ++round) {
    const Board<Flags> flags;
    mp::Process process(
        {.start_method = GetParam()},
        [](std::uint64_t place, int code) {
          wait_for_go(place);
          if (code != 0) {
            std::exit(code);
          }
        },
        flags.place(), expected);
    process.start();
    std::atomic<int> waiting{0};
    std::vector<std::optional<int>> codes(kThreads);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        ++waiting;
        if (i % 4 == 3) {  // some poll
          wait_until([&] { return !process.is_alive(); });
        } else {
          EXPECT_TRUE(process.join());
        }
        codes[i] = process.exitcode();
      });
    }
    wait_until([&] { return waiting == kThreads; });
    flags->go = true;
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (const auto& code : codes) {
      EXPECT_EQ(code, expected);
    }
  }
}

TEST_P(Join, ManyThreadsStartAndJoinTheirOwn) {
  if (kSanitized && GetParam() == StartMethod::fork) {
    GTEST_SKIP() << "the sanitizers' allocator is not safe to fork beside other threads";
  }
  constexpr int kThreads = 16;
  const int each = GetParam() == StartMethod::spawn ? 2 : 8;
  const Board<Flags> flags;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < each; ++n) {
        const int code = GetParam() == StartMethod::thread ? 0 : i + 1;
        const auto found = exitcode_of(
            GetParam(),
            [](std::uint64_t place, int exitcode) {
              ++board<Flags>(place).up;
              if (exitcode != 0) {
                ::_exit(exitcode);
              }
            },
            flags.place(), code);
        wrong += found == code ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(flags->up, kThreads * each);
}

TEST_P(Join, WhatIsMadeInOneThreadCanBeStartedAndJoinedInOthers) {
  mp::Process process({.start_method = GetParam()}, [] {});
  std::thread([&] { process.start(); }).join();
  std::thread([&] { EXPECT_TRUE(process.join()); }).join();
  EXPECT_EQ(process.exitcode(), 0);
}

TEST_P(Join, OneThreadMayCloseWhatOthersStillJoin) {
  for (int round = 0; round < 10; ++round) {
    const Board<Flags> flags;
    mp::Process process = started(GetParam(), wait_for_go, flags.place());
    std::atomic<int> waiting{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        ++waiting;
        try {
          EXPECT_TRUE(process.join());
        } catch (const mp::ProcessError&) {  // it came after close()
        }
      });
    }
    wait_until([&] { return waiting == 4; });
    flags->go = true;
    wait_until([&] { return !process.is_alive(); });
    process.close();
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
}

TEST_P(Join, ANegativeTimeoutPolls) {
  const Board<Flags> flags;
  mp::Process process = started(GetParam(), wait_for_go, flags.place());
  EXPECT_FALSE(process.join(std::chrono::nanoseconds(-5)));
  flags->go = true;
}

TEST_P(Join, BeforeStartIsRefused) {
  mp::Process process({.name = "early", .start_method = GetParam()}, [] {});
  const auto said = [](const std::string& what) {
    return "process 'early' was asked " + what + " before it was started; call start()";
  };
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.join(); }), said("to join"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.terminate(); }), said("to terminate"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.kill(); }), said("to be killed"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { process.interrupt(); }), said("to be interrupted"));
  EXPECT_EQ(text_of<mp::ProcessError>([&] { static_cast<void>(process.sentinel()); }),
            said("for its sentinel"));
  EXPECT_EQ(process.pid(), 0);
  EXPECT_FALSE(process.is_alive());
  EXPECT_FALSE(process.exitcode().has_value());
}

TEST(JoinOfOneself, OnAThreadIsRefused) {
  const Board<Flags> flags;
  mp::Process* process = nullptr;
  mp::Process self(
      {.name = "narcissus", .start_method = StartMethod::thread},
      [&process](std::uint64_t place) {
        wait_for_go(place);
        text_of<mp::ProcessError>([&] { process->join(); }).copy(board<Flags>(place).text, 511);
      },
      flags.place());
  process = &self;
  self.start();
  flags->go = true;
  self.join();
  EXPECT_EQ(self.exitcode(), 0);
  EXPECT_NE(std::string(flags->text).find("'narcissus'"), std::string::npos) << flags->text;
  EXPECT_NE(std::string(flags->text).find("join itself"), std::string::npos) << flags->text;
}

TEST(JoinOfOneself, InAForkedChildIsRefused) {
  const Board<Flags> flags;
  mp::Process* process = nullptr;
  mp::Process self(
      {.name = "narcissus", .start_method = StartMethod::fork},
      [&process](std::uint64_t place) {
        text_of<mp::ProcessError>([&] { process->join(); }).copy(board<Flags>(place).text, 511);
        static_cast<void>(process->is_alive());
      },
      flags.place());
  process = &self;
  self.start();
  self.join();
  EXPECT_EQ(self.exitcode(), 0);
  EXPECT_NE(std::string(flags->text).find("only the process that started a child can"),
            std::string::npos)
      << flags->text;
}

TEST(JoinOfASibling, InAForkedChildIsRefused) {
  const Board<Flags> flags;
  const Board<Flags> sibling_flags;
  mp::Process sibling = started(StartMethod::forkserver, wait_for_go, sibling_flags.place());
  mp::Process* const process = &sibling;
  const auto code = exitcode_of(
      StartMethod::fork,
      [process](std::uint64_t place) {
        text_of<mp::ProcessError>([&] { process->kill(); }).copy(board<Flags>(place).text, 511);
        *process = mp::Process([] {});  // gives up its copy without ending the sibling
      },
      flags.place());
  EXPECT_EQ(code, 0);
  EXPECT_NE(std::string(flags->text).find("only the process that started a child can"),
            std::string::npos)
      << flags->text;
  EXPECT_TRUE(sibling.is_alive());
  sibling_flags->go = true;
  sibling.join();
  EXPECT_EQ(sibling.exitcode(), 0);
}

}  // namespace
}  // namespace process_test
