#pragma once

#include <cstdint>
#include <cstdlib>

/// A number from the environment, by which a test is repeated or runs for longer.
inline std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);
  return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}
