// Python's cpu_count() counted the machine's processors for decades, so that pools in containers
// started 64 workers for 2 processors' worth of time (CPython #80235, #149452). The group's quota
// counts here.

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>
#include <vector>

#include "platform/cpu.hpp"

namespace procession::platform {
namespace {

enum class Version { v1, v2 };

/// A mounted hierarchy of groups that can hold a limit on processor time.
struct Mount {
  Version version;
  std::string shown;  // the group that is visible at the mount point
  std::string point;
};

/// The group of this process in either kind of hierarchy.
struct Membership {
  std::optional<std::string> v1;
  std::optional<std::string> v2;
};

/// True when `word` is an element of `list`, whose elements are separated by commas.
bool has_element(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// Undoes the `\040` notation in which the kernel writes blanks of paths.
std::string unescape(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// Reads lines `ID PARENT DEVICE SHOWN POINT OPTIONS TAGS... - TYPE SOURCE OPTIONS`.
std::vector<Mount> read_mounts(const std::string& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string skipped, shown, point, type, source, options;
    before >> skipped >> skipped >> skipped >> shown >> point;
    after >> type >> source >> options;
    if (type == "cgroup2") {
      mounts.push_back({Version::v2, unescape(shown), unescape(point)});
    } else if (type == "cgroup" && has_element(options, "cpu")) {
      mounts.push_back({Version::v1, unescape(shown), unescape(point)});
    }
  }
  return mounts;
}

/// Reads lines `HIERARCHY:CONTROLLERS:PATH`; version 2 is hierarchy 0 and names no controllers.
Membership read_membership(const std::string& root) {
  Membership membership;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers =
        std::string_view(line).substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) membership.v2 = path;
    if (has_element(controllers, "cpu")) membership.v1 = path;
  }
  return membership;
}

/// `path` as seen from the group `shown`, "" for that group itself; empty when it lies elsewhere.
std::optional<std::string> relative_to(const std::string& shown, const std::string& path) {
  const std::string prefix = shown == "/" ? "" : shown;
  if (!path.starts_with(prefix)) return std::nullopt;
  std::string rest = path.substr(prefix.size());
  if (rest == "/") rest.clear();
  if (!rest.empty() && rest.front() != '/') return std::nullopt;
  if (rest == "/.." || rest.starts_with("/../")) return std::nullopt;
  return rest;
}

/// `quota` in each `period`, as whole processors. No quota and nonsense are "no limit".
std::optional<unsigned> whole_cpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  const long long cpus = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<unsigned>(std::min<long long>(cpus, UINT_MAX));
}

/// The limit that one group sets itself.
std::optional<unsigned> limit_of(Version version, const std::string& group) {
  long long quota = 0, period = 100'000;
  if (version == Version::v2) {
    std::ifstream file(group + "/cpu.max");  // "max 100000" or "150000 100000"
    if (!(file >> quota)) return std::nullopt;
    if (!(file >> period)) period = 100'000;
  } else {
    std::ifstream quota_file(group + "/cpu.cfs_quota_us");  // -1: none
    std::ifstream period_file(group + "/cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
  }
  return whole_cpus(quota, period);
}

std::optional<unsigned> smaller(std::optional<unsigned> a, std::optional<unsigned> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// The least limit of the group `rest` below `top` and of all its ancestors up to `top`.
std::optional<unsigned> least_limit(Version version, const std::string& top, std::string rest) {
  std::optional<unsigned> least = limit_of(version, top + rest);
  while (!rest.empty()) {
    rest.resize(rest.rfind('/') == std::string::npos ? 0 : rest.rfind('/'));
    least = smaller(least, limit_of(version, top + rest));
  }
  return least;
}

}  // namespace

unsigned affinity_cpus() noexcept {
  // The set must be as large as the kernel's, and nobody tells how large that is: double until it
  // fits.
  for (int room = 1024; room <= (1 << 22); room *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
        CPU_ALLOC(static_cast<std::size_t>(room)), [](cpu_set_t* s) { CPU_FREE(s); });
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
    if (sched_getaffinity(0, size, set.get()) == 0) {
      return static_cast<unsigned>(std::max(1, CPU_COUNT_S(size, set.get())));
    }
    if (errno != EINVAL) break;
  }
  return 1;
}

std::optional<unsigned> quota_cpus(const std::string& root) {
  const Membership membership = read_membership(root);
  std::optional<unsigned> least;
  for (const Version version : {Version::v1, Version::v2}) {
    const std::optional<std::string>& path = version == Version::v1 ? membership.v1 : membership.v2;
    if (!path) continue;
    bool found = false;
    std::vector<std::string> elsewhere;
    for (const Mount& mount : read_mounts(root)) {
      if (mount.version != version) continue;
      const std::string top = root + (mount.point == "/" ? "" : mount.point);
      if (const auto rest = relative_to(mount.shown, *path)) {
        found = true;
        least = smaller(least, least_limit(version, top, *rest));
      } else {
        elsewhere.push_back(top);
      }
    }
    // A container that sees the host's path of its group, or a path out of its namespace, has that
    // group itself at the mount point.
    if (found) continue;
    for (const std::string& top : elsewhere)
      least = smaller(least, least_limit(version, top, ""));
  }
  return least;
}

unsigned usable_cpus() {
  const unsigned allowed = affinity_cpus();
  return std::max(1U, std::min(allowed, quota_cpus().value_or(allowed)));
}

}  // namespace procession::platform
