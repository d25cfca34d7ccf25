#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "procession/procession.hpp"

// What the tests of code of the user's that calls the library share: none of it is called with a
// lock of the library, so each of these calls returns. What fails here hangs, and the watchdog
// tells of the stacks.
namespace reentrancy_test {

namespace mp = procession;

inline int twice(int x) { return 2 * x; }
inline void nothing() {}
inline int end_worker(int /*x*/) { std::abort(); }
inline int end_of_one(int x) {
  if (x == 1) std::abort();
  return 2 * x;
}

/// Calls what there is of the library, each in a way that ends.
class Everything {
 public:
  /// What makes pools, queues and locks is called once, by who makes this.
  Everything() = default;

  void call() const {
    static_cast<void>(mp::current_process());
    static_cast<void>(mp::active_children());
    static_cast<void>(mp::current_thread());
    queue_.put(1);
    EXPECT_EQ(queue_.get(), 1);
    {
      const std::scoped_lock guard(lock_);
    }
    const auto [in, out] = mp::Pipe();
    out.send(5);
    EXPECT_EQ(in.recv<int>(), 5);
    mp::Process process(nothing);
    process.start();
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
    EXPECT_EQ(other_.map(twice, {1, 2, 3}), (std::vector{2, 4, 6}));
    static_cast<void>(other_.pids());
    ++calls_;
  }

  [[nodiscard]] int calls() const { return calls_; }

 private:
  mp::Queue<int> queue_;
  mp::RLock lock_;
  mutable mp::Pool other_{1};
  mutable std::atomic<int> calls_{0};
};

/// For what holds of pools of processes and of threads alike.
using Kinds = testing::Types<mp::Pool, mp::ThreadPool>;
struct KindNames {
  template <class Kind>
  static std::string GetName(int /*index*/) {
    return std::is_same_v<Kind, mp::Pool> ? "Processes" : "Threads";
  }
};

/// Calls of a pool's that fail when it has ended, and return then too.
template <class Pool>
void use(Pool& pool) {
  try {
    static_cast<void>(pool.size());
    static_cast<void>(pool.pids());
    EXPECT_EQ(pool.apply(twice, 4), 8);
  } catch (const mp::ProcessError&) {
  }
}

}  // namespace reentrancy_test
