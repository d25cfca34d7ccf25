// Tasks, initializers and callbacks that fork and come back twice: the copy ends there, and the
// original's value counts.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>
#include <type_traits>

#include "kinds.hpp"
#include "left.hpp"
#include "procession/error.hpp"
#include "procession/log.hpp"
#include "support.hpp"
#include "support/copies.hpp"
#include "support/sanitized.hpp"

namespace procession::pooltest {
namespace {

using copies::copy_process;
using copies::How;
using copies::kCopyExit;

int copied(How how) { return copy_process(how); }
/// Of bytes that are copied as they lie in memory, and of others.
int copied_each(int /*index*/) { return copy_process(How::by_fork); }
std::string copied_text(int /*index*/) { return std::to_string(copy_process(How::by_fork)); }
int copied_and_thrown(How how) {
  const int status = copy_process(how);
  return status == 0 ? throw std::out_of_range("in the copy") : status;
}
int copied_and_exited(How how) {
  const int status = copy_process(how);
  if (status == 0) {
    std::exit(3);
  }
  return status;
}

template <class Kind>
class PoolCopy : public testing::Test {
 protected:
  Kind pool_{2};
};
TYPED_TEST_SUITE(PoolCopy, PoolKinds, PoolKindNames);

TYPED_TEST(PoolCopy, OfASingleCallEnds) {
  for (const How how : {How::by_fork, How::by_clone}) {
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(this->pool_.apply(copied, how), kCopyExit);
    }
  }
  this->pool_.close();
  this->pool_.join();
}

TYPED_TEST(PoolCopy, OfAnElementEnds) {
  const std::vector<int> elements(12);
  EXPECT_EQ(this->pool_.map(copied_each, elements, {.chunksize = 6}),
            std::vector<int>(12, kCopyExit));
  EXPECT_EQ(this->pool_.map(copied_text, elements, {.chunksize = 6}),
            std::vector<std::string>(12, std::to_string(kCopyExit)));
  EXPECT_EQ(this->pool_.map(copied_each, elements, {.chunksize = 6, .timeout = 1min}),
            std::vector<int>(12, kCopyExit));
  for (const int status : this->pool_.imap(copied_each, elements)) {
    EXPECT_EQ(status, kCopyExit);
  }
}

TYPED_TEST(PoolCopy, ThatThrowsEnds) {
  for (const How how : {How::by_fork, How::by_clone}) {
    EXPECT_EQ(this->pool_.apply(copied_and_thrown, how), kCopyExit);
  }
  EXPECT_EQ(this->pool_.map([](int) { return copied_and_thrown(How::by_fork); }, {1, 2}),
            std::vector<int>(2, kCopyExit));
}

TYPED_TEST(PoolCopy, ThatExitsDoesNothingToTheOriginal) {
  if (kSanitized && std::is_same_v<TypeParam, ThreadPool>) {
    GTEST_SKIP() << "the leak check takes for lost what the other threads' stacks name";
  }
  std::fflush(nullptr);
  for (const How how : {How::by_fork, How::by_clone}) {
    EXPECT_EQ(this->pool_.apply(copied_and_exited, how), 3);
  }
  EXPECT_EQ(this->pool_.apply(square, 3), 9);
}

TYPED_TEST(PoolCopy, SaysWhyItEnds) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(this->pool_.apply(copied, How::by_fork), kCopyExit);
  this->pool_.close();
  this->pool_.join();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("is a copy that a task of a pool made"), std::string::npos) << said;
  EXPECT_NE(said.find("exit status 70"), std::string::npos) << said;
}

TYPED_TEST(PoolCopy, OfAnInitializerEnds) {
  const Tally statuses(2);
  {
    TypeParam pool(PoolOptions{.processes = 1,
                               .initializer = bind(
                                   [](Where where) {
                                     const int status = copy_process(How::by_fork);
                                     counter(where) = static_cast<std::uint32_t>(status);
                                     ++counter(where, 1);
                                   },
                                   statuses.where())});
    EXPECT_EQ(pool.apply(square, 2), 4);
  }
  EXPECT_EQ(statuses[0], static_cast<std::uint32_t>(kCopyExit));
}

TYPED_TEST(PoolCopy, OfACallbackEnds) {
  const Tally gate;
  std::promise<int> status;
  this->pool_.apply_async(after, gate.where(), 1).then([&](int) {
    status.set_value(copy_process(How::by_fork));
  });
  gate[0] = 1;
  EXPECT_EQ(status.get_future().get(), kCopyExit);
}

/// It hears of what the supervisor says on a thread of the library's.
TEST(PoolSinkCopy, OfALogSinkEnds) {
  std::promise<int> status;
  std::atomic<bool> told{false};
  set_log_sink(
      [&](const LogRecord& /*record*/) {
        if (!told.exchange(true)) {
          status.set_value(copy_process(How::by_fork));
        }
      },
      LogLevel::warning);
  Pool pool(1);
  EXPECT_THROW(pool.apply([] { static_cast<void>(::raise(SIGKILL)); }), WorkerLost);
  EXPECT_EQ(status.get_future().get(), kCopyExit);
  set_log_sink(nullptr, LogLevel::off);
}

TEST(PoolDaemon, TheTaskIsLostAndItsCopyEnds) {
  const std::size_t others = orphans();
  {
    Pool pool(2);
    const auto detached = pool.apply_async([] { return ::daemon(1, 1); });
    try {
      detached.get();
      ADD_FAILURE() << "the copy's value is no result";
    } catch (const WorkerLost& lost) {
      EXPECT_EQ(lost.exitcode(), 0);
    }
    until([&] { return orphans() == others; });
    EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
    pool.close();
    pool.join();
  }
}

/// What the owner's own fork may do with the pool that it finds: nothing.
TYPED_TEST(PoolCopy, OfTheOwnerLeavesThePoolAlone) {
  const Tally gate;
  auto& pool = this->pool_;
  auto result = pool.apply_async(after, gate.where(), 7);
  const pid_t child = ::fork();
  if (child == 0) {
    int refused = 0;
    const auto refuses = [&](auto call) {
      try {
        static_cast<void>(call());
      } catch (const ProcessError&) {
        ++refused;
      }
    };
    refuses([&] { return result.ready(); });
    refuses([&] { return result.cancel(); });
    refuses([&] { result.wait(1ms); });
    refuses([&] { return result.get(); });
    refuses([&] { result.then([](int) {}); });
    refuses([&] { pool.close(); });
    refuses([&] { pool.join(); });
    refuses([&] { return pool.imap(square, {1}); });
    pool.terminate();
    ::_exit(refused);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 8);
  gate[0] = 1;
  EXPECT_EQ(result.get(), 7);
  EXPECT_EQ(pool.map(square, {1, 2, 3}), (std::vector<int>{1, 4, 9}));
}

/// Of the thread that waits, which is the program's own: it may go on in both.
TYPED_TEST(PoolCopy, OfAProgressCallbackCannotGoOnWaiting) {
  pid_t child = -1;
  int told = 0;
  try {
    this->pool_.map(square, std::vector<int>(50),
                    {.chunksize = 1, .progress = [&](std::size_t, std::size_t) {
                       if (child == -1) {
                         child = ::fork();
                       }
                       ++told;
                     }});
  } catch (const ProcessError&) {
    ::_exit(child == 0 ? 5 : 6);
  }
  if (child == 0) {
    ::_exit(7);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

}  // namespace
}  // namespace procession::pooltest
