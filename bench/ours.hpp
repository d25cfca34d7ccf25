#pragma once

#include <cstdlib>
#include <map>
#include <procession/procession.hpp>
#include <string>
#include <utility>

#include "contestant.hpp"

// What the parts of `ours` have in common: the name of each operation and what it does.

using Operations = std::map<std::string, contestant::Operation>;

Operations pool_operations();
Operations queue_operations();
Operations network_operations();
Operations pipe_operations();
Operations sync_operations();
Operations manager_operations();

inline void check(bool good) {
  if (!good) {
    std::abort();
  }
}

/// A process that ends with this one.
template <class Target, class... Args>
procession::Process helper(Target target, Args&&... args) {
  procession::Process process({.daemon = true}, target, std::forward<Args>(args)...);
  process.start();
  return process;
}
