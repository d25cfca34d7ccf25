#pragma once

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "pool/support.hpp"
#include "process/support.hpp"
#include "procession/executor.hpp"

namespace procession::executortest {

using namespace std::chrono_literals;
using pooltest::await;
using pooltest::counter;
using pooltest::Tally;
using pooltest::until;
using pooltest::Where;
using process_test::text_of;

inline int square(int x) { return x * x; }
/// Waits for the counter, having said in the one behind it that it began.
inline int wait_for(Where gate, int result) {
  ++counter(gate, 1);
  await(gate);
  return result;
}

/// For tests that hold of executors of processes and of threads alike.
using ExecutorKinds = testing::Types<ProcessPoolExecutor, ThreadPoolExecutor>;
struct ExecutorKindNames {
  template <class Kind>
  static std::string GetName(int /*index*/) {
    return std::is_same_v<Kind, ThreadPoolExecutor> ? "Threads" : "Processes";
  }
};

}  // namespace procession::executortest
