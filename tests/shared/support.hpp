#pragma once

#include <gtest/gtest.h>

#include <string>

#include "platform/named_memory.hpp"
#include "process/support.hpp"
#include "procession/shared_memory.hpp"
#include "support/python.hpp"

// What the tests of named memory share.
namespace shared_test {

namespace mp = procession;

using process_test::text_of;
using process_test::wait_until;

inline bool name_exists(const std::string& name) {
  return mp::platform::named_memory_identity(name) != 0;
}

/// A name that no other run of the tests uses.
inline std::string fresh_name(const std::string& what) {
  return "procession_test_" + what + "_" + std::to_string(::getpid());
}

/// Runs a Python program; what it prints, and its errors.
inline std::string python(const std::string& program) { return mp::Python(program).rest(); }

}  // namespace shared_test
