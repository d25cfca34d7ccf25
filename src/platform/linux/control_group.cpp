#include <algorithm>
#include <cstddef>
#include <fstream>
#include <optional>
#include <sstream>

#include "platform/control_group.hpp"

namespace procession::platform {
namespace {

using Version = ControlGroup::Version;

/// A mounted hierarchy of groups.
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
std::vector<Mount> read_mounts(std::string_view controller, const std::string& root) {
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
    } else if (type == "cgroup" && has_element(options, controller)) {
      mounts.push_back({Version::v1, unescape(shown), unescape(point)});
    }
  }
  return mounts;
}

/// Reads lines `HIERARCHY:CONTROLLERS:PATH`; version 2 is hierarchy 0 and names no controllers.
Membership read_membership(std::string_view controller, const std::string& root) {
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
    if (has_element(controllers, controller)) membership.v1 = path;
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

/// The group `rest` below `top`, and all its ancestors up to `top`.
void add_with_ancestors(std::vector<ControlGroup>& groups, Version version, const std::string& top,
                        std::string rest) {
  groups.push_back({version, top + rest});
  while (!rest.empty()) {
    rest.resize(rest.rfind('/') == std::string::npos ? 0 : rest.rfind('/'));
    groups.push_back({version, top + rest});
  }
}

}  // namespace

std::vector<ControlGroup> control_groups(std::string_view controller, const std::string& root) {
  const Membership membership = read_membership(controller, root);
  const std::vector<Mount> mounts = read_mounts(controller, root);
  std::vector<ControlGroup> groups;
  for (const Version version : {Version::v1, Version::v2}) {
    const std::optional<std::string>& path = version == Version::v1 ? membership.v1 : membership.v2;
    if (!path) continue;
    bool found = false;
    std::vector<std::string> elsewhere;
    for (const Mount& mount : mounts) {
      if (mount.version != version) continue;
      const std::string top = root + (mount.point == "/" ? "" : mount.point);
      if (const auto rest = relative_to(mount.shown, *path)) {
        found = true;
        add_with_ancestors(groups, version, top, *rest);
      } else {
        elsewhere.push_back(top);
      }
    }
    // A container that sees the host's path of its group, or a path out of its namespace, has that
    // group itself at the mount point.
    if (found) continue;
    for (const std::string& top : elsewhere)
      groups.push_back({version, top});
  }
  return groups;
}

}  // namespace procession::platform
