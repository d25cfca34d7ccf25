#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace procession::platform {

/// What a process hands on to its children and a fork server, started before, does not have when
/// the process changes it: its root folder, users and groups, the processors that it may use, its
/// niceness and its limits.
struct Standing {
  std::array<std::uint64_t, 2> root{};   ///< device and number of the folder "/"
  std::array<std::uint32_t, 6> users{};  ///< real, effective and saved user, then group
  std::vector<std::uint32_t> groups;
  std::vector<std::byte> processors;
  std::vector<std::uint64_t> limits;
  int niceness = 0;

  /// That of this process, now.
  static Standing look();

  friend bool operator==(const Standing&, const Standing&) = default;
};

}  // namespace procession::platform
