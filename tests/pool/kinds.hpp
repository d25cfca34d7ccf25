#pragma once

#include <string>

#include "support.hpp"

namespace procession::pooltest {

/// For tests that hold of pools of processes and of threads alike.
using PoolKinds = testing::Types<Pool, ThreadPool>;
struct PoolKindNames {
  template <class Kind>
  static std::string GetName(int /*index*/) {
    return std::is_same_v<Kind, ThreadPool> ? "Threads" : "Processes";
  }
};

}  // namespace procession::pooltest
