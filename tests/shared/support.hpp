#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include "platform/named_memory.hpp"
#include "process/support.hpp"
#include "procession/shared_memory.hpp"

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

/// Runs a Python program with Debian's own interpreter; what it prints, and its errors.
inline std::string python(const std::string& program) {
  const std::string path = testing::TempDir() + fresh_name("program") + ".py";
  std::ofstream(path) << program;
  std::FILE* const pipe = ::popen(("/usr/bin/python3 " + path + " 2>&1").c_str(), "r");
  std::string printed;
  std::array<char, 256> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr)
    printed += part.data();
  ::pclose(pipe);
  std::remove(path.c_str());
  return printed;
}

}  // namespace shared_test
