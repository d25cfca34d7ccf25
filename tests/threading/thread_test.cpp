// Threads that a program starts by itself.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "process/program.hpp"
#include "procession/error.hpp"
#include "procession/threading.hpp"

namespace {

namespace mp = procession;
using namespace std::chrono_literals;

TEST(Thread, RunsInThisProcess) {
  int pid = 0;
  std::thread::id id;
  mp::Thread thread([&] {
    pid = ::getpid();
    id = std::this_thread::get_id();
  });
  EXPECT_EQ(pid, 0);
  EXPECT_FALSE(thread.is_alive());
  thread.start();
  EXPECT_TRUE(thread.join());
  EXPECT_EQ(pid, ::getpid());
  EXPECT_NE(id, std::this_thread::get_id());
  EXPECT_FALSE(thread.is_alive());
  EXPECT_TRUE(thread.join());
}

int called_with = 0;
void call_with(int x) { called_with = x; }

struct Counter {
  int count = 0;
  void add(int more) { count += more; }
};

TEST(Thread, TakesEverythingThatCanBeCalled) {
  mp::Thread function(call_with, 5);
  function.start();
  function.join();
  EXPECT_EQ(called_with, 5);

  Counter counter;
  mp::Thread member(&Counter::add, &counter, 3);
  member.start();
  member.join();
  EXPECT_EQ(counter.count, 3);

  std::string text = "a";
  mp::Thread reference([](std::string& to, const std::string& tail) { to += tail; }, std::ref(text),
                       "bc");
  reference.start();
  reference.join();
  EXPECT_EQ(text, "abc");

  int result = 0;
  mp::Thread move_only(
      [&, kept = std::make_unique<int>(2)](std::unique_ptr<int> given) { result = *kept + *given; },
      std::make_unique<int>(40));
  move_only.start();
  move_only.join();
  EXPECT_EQ(result, 42);
}

TEST(Thread, NamesAndDaemonFlags) {
  mp::Thread first([] {});
  mp::Thread second([] {});
  ASSERT_TRUE(first.name().starts_with("Thread-")) << first.name();
  EXPECT_EQ(std::stoi(second.name().substr(7)), std::stoi(first.name().substr(7)) + 1);
  EXPECT_FALSE(first.daemon());
  EXPECT_EQ(mp::Thread({.name = "Test"}, [] {}).name(), "Test");

  mp::ThreadInfo seen{};
  bool heir = false;
  mp::Thread named({.name = "watcher", .daemon = true}, [&] {
    seen = mp::current_thread();
    heir = mp::Thread([] {}).daemon();
  });
  EXPECT_TRUE(named.daemon());
  named.start();
  named.join();
  EXPECT_EQ(seen.name, "watcher");
  EXPECT_TRUE(seen.daemon);
  EXPECT_NE(seen.native_id, ::getpid());
  EXPECT_TRUE(heir);
}

TEST(Thread, CurrentThreadOfThoseThatItDidNotMake) {
  const mp::ThreadInfo main = mp::current_thread();
  EXPECT_EQ(main.name, "MainThread");
  EXPECT_EQ(main.native_id, ::getpid());
  EXPECT_FALSE(main.daemon);
  std::set<std::string> names;
  for (int i = 0; i < 2; ++i) {
    std::thread([&] {
      names.insert(mp::current_thread().name);
      names.insert(mp::current_thread().name);
    }).join();
  }
  ASSERT_EQ(names.size(), 2U);
  for (const std::string& name : names) {
    EXPECT_TRUE(name.starts_with("Dummy-")) << name;
  }
}

TEST(Thread, JoinGivesUpAndCanBeAskedAgain) {
  std::latch gate(1);
  mp::Thread thread([&] { gate.wait(); });
  thread.start();
  EXPECT_TRUE(thread.is_alive());
  EXPECT_FALSE(thread.join(0ms));
  EXPECT_FALSE(thread.join(10ms));
  EXPECT_FALSE(thread.join(-1ms));
  gate.count_down();
  EXPECT_TRUE(thread.join());
  EXPECT_TRUE(thread.join(0ms));
}

TEST(Thread, AnyNumberOfThreadsMayJoin) {
  std::latch gate(1);
  mp::Thread thread([&] { gate.wait(); });
  thread.start();
  std::atomic<int> joined = 0;
  std::vector<mp::Thread> joiners;
  for (int i = 0; i < 4; ++i) {
    joiners.emplace_back([&] { joined += thread.join() ? 1 : 0; }).start();
  }
  gate.count_down();
  joiners.clear();
  EXPECT_EQ(joined, 4);
}

TEST(Thread, DestructionJoins) {
  std::atomic<bool> done = false;
  {
    mp::Thread thread([&] {
      std::this_thread::sleep_for(50ms);
      done = true;
    });
    thread.start();
  }
  EXPECT_TRUE(done);
  done = false;
  mp::Thread thread([&] {
    std::this_thread::sleep_for(50ms);
    done = true;
  });
  thread.start();
  thread = mp::Thread([] {});
  EXPECT_TRUE(done);
}

TEST(Thread, ADaemonRunsOnByItself) {
  struct Shared {
    std::latch gate{1}, done{1};
  };
  const auto shared = std::make_shared<Shared>();
  {
    mp::Thread daemon({.daemon = true}, [shared] {
      shared->gate.wait();
      shared->done.count_down();
    });
    daemon.start();
  }
  shared->gate.count_down();
  shared->done.wait();
}

TEST(Thread, AnEscapedExceptionIsPrintedAndTheProgramGoesOn) {
  std::string text;
  {
    const process_test::CapturedStderr captured;
    mp::Thread thread({.name = "parser"}, [] { throw std::domain_error("no such line"); });
    thread.start();
    EXPECT_TRUE(thread.join());
    EXPECT_FALSE(thread.is_alive());
    text = captured.text();
  }
  EXPECT_EQ(text, "Exception in thread parser:\n  std::domain_error: no such line\n");
}

TEST(Thread, MisuseIsRefused) {
  mp::Thread thread([] {});
  EXPECT_THROW(thread.join(), mp::ProcessError);
  thread.start();
  EXPECT_THROW(thread.start(), mp::ProcessError);
  thread.join();
  EXPECT_THROW(thread.start(), mp::ProcessError);

  std::atomic<bool> refused = false;
  mp::Thread* self = nullptr;
  mp::Thread selfish([&] {
    try {
      self->join();
    } catch (const mp::ProcessError&) {
      refused = true;
    }
  });
  self = &selfish;
  selfish.start();
  selfish.join();
  EXPECT_TRUE(refused);

  mp::Thread moved(std::move(thread));
  EXPECT_THROW(thread.start(), mp::ProcessError);  // NOLINT(bugprone-use-after-move): on purpose
  EXPECT_TRUE(moved.join());
}

TEST(Thread, InAForkOfItsProcessItDoesNotRun) {
  std::latch gate(1);
  auto thread = std::make_unique<mp::Thread>([&] { gate.wait(); });
  thread->start();
  const pid_t child = ::fork();
  if (child == 0) {
    int code = thread->is_alive() ? 2 : 1;
    try {
      thread->join();
    } catch (const mp::ProcessError&) {
      code -= 1;
    }
    thread.reset();  // does not wait for it
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  gate.count_down();
  EXPECT_TRUE(thread->join());
}

}  // namespace
