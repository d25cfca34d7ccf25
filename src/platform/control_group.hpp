#pragma once

#include <string>
#include <string_view>
#include <vector>

// Where the limits of a container or a batch job stand.
namespace procession::platform {

/// A control group, by the folder of its files.
struct ControlGroup {
  enum class Version { v1, v2 };

  Version version;
  std::string folder;
};

/// The groups of this process that may limit what `controller` ("cpu", "memory", "pids") counts:
/// its own and all that these lie in, as far as they can be seen. `root` is the folder whose `proc`
/// is read and below which the mount points lie: "" is the machine itself, anything else a copy of
/// it made by a test. Throws only for lack of memory.
std::vector<ControlGroup> control_groups(std::string_view controller, const std::string& root = "");

}  // namespace procession::platform
