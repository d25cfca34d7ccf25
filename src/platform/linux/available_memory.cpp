// What is left of the machine's memory and of the control groups' limits. Asked before much memory
// is committed: an exception can be handled, the kernel's out-of-memory killer cannot.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

#include "platform/control_group.hpp"
#include "platform/memory.hpp"

namespace procession::platform {
namespace {

constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

/// The number after `key` in a file of lines "KEY NUMBER ...".
std::optional<std::uint64_t> field(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return std::nullopt;
}

/// A file that holds one number; none for "max".
std::optional<std::uint64_t> number(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// The names of one group's files in either version of control groups.
struct Names {
  const char* limit;
  const char* usage;
  const char* cache;  // in memory.stat: counted as used, but given back before anyone is killed
};
constexpr Names kV1{"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"};
constexpr Names kV2{"/memory.max", "/memory.current", "inactive_file"};

std::uint64_t room_in(const std::string& group, const Names& names) {
  const auto limit = number(group + names.limit);
  const auto usage = number(group + names.usage);
  if (!limit || !usage) return kUnknown;
  const std::uint64_t cache = field(group + "/memory.stat", names.cache).value_or(0);
  const std::uint64_t used = *usage - std::min(*usage, cache);
  return *limit - std::min(*limit, used);
}

std::uint64_t group_room() {
  std::uint64_t least = kUnknown;
  for (const ControlGroup& group : control_groups("memory")) {
    const bool first = group.version == ControlGroup::Version::v1;
    least = std::min(least, room_in(group.folder, first ? kV1 : kV2));
  }
  return least;
}

}  // namespace

std::uint64_t available_memory() noexcept {
  try {
    const auto kibibytes = field("/proc/meminfo", "MemAvailable:");
    const std::uint64_t machine = kibibytes ? *kibibytes * 1024 : kUnknown;
    return std::min(machine, group_room());
  } catch (...) {
    return kUnknown;  // no memory for a few strings: whoever asks will find out by himself
  }
}

std::uint64_t private_memory(int pid) noexcept {
  const std::string path = "/proc/" + std::to_string(pid) + "/statm";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[128] = {};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return 0;
  unsigned long long pages[3] = {};  // of address space, resident, resident and shared
  if (std::sscanf(text, "%llu %llu %llu", &pages[0], &pages[1], &pages[2]) != 3) return 0;
  return (pages[1] - std::min(pages[1], pages[2])) * page_size();
}

}  // namespace procession::platform
