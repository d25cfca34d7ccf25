#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "heap/heap.hpp"
#include "platform/descriptor.hpp"
#include "process/identity.hpp"
#include "process/record.hpp"

namespace procession::process {

/// What a child is told at its start, besides the call it is to run. Sent through the shared heap.
struct BootMessage {
  std::string name;
  std::string id_path;
  bool daemon = false;
  bool tied = false;  ///< ends when its parent ends, however that ends
  std::string parent_name;
  int parent_pid = 0;
  bool parent_daemon = false;
  int default_method = 0;  ///< StartMethod that `get_start_method` gives in the child
  int log_level = 0;       ///< LogLevel that goes to stderr

  [[nodiscard]] Identity identity() const;
};

/// The message for a child of the calling process.
BootMessage boot_message(std::string name, std::string id_path, bool daemon, bool tied);

/// Runs an encoded call, which brings `passed` along, and reports what escapes it to stderr.
/// Returns the exit code, 0 or 1.
int run_call(std::span<const std::byte> call, const std::string& name,
             std::span<platform::Descriptor> passed);

/// What the fork server has ready for its copies.
struct FromServer {
  platform::Descriptor until_taken;  ///< closed once the request is answered
  platform::Descriptor
      own_watch;  ///< the watch of the parent, opened for this child alone; or empty
};

/// The life of a child process from its first instruction in this library to its end. `watched` is
/// the reading end of the watch of the parent; `passed` is what the call brings along.
[[noreturn]] void run_child(const Record::Claim& claim, platform::Descriptor watched,
                            std::vector<platform::Descriptor>&& passed,
                            FromServer from_server = {});

/// The orderly end of this process: daemons are terminated, other children joined, the fork server
/// stopped. Runs at exit; a second call does nothing.
void end_children() noexcept;

}  // namespace procession::process
