#pragma once

#include <cstdint>
#include <vector>

namespace procession::detail {

/// The blocks of the shared heap that a message under construction names. Held by this process
/// until the message is whole, then by the block that the message lies in. Not thread-safe.
class Attachments {
 public:
  Attachments() = default;
  Attachments(const Attachments&) = delete;
  Attachments& operator=(const Attachments&) = delete;
  ~Attachments() {
    if (!empty()) {
      drop_all();
    }
  }

  [[nodiscard]] bool empty() const noexcept { return hold_ids_.empty(); }

  /// One more. Throws OutOfMemory; ProcessError when it is no block in use.
  void add(std::uint64_t block);
  /// Hands all of them to `owner`, a block that nobody reads yet.
  void hand_to(std::uint64_t owner);
  void drop_all() noexcept;

 private:
  std::vector<std::uint64_t> hold_ids_;
};

}  // namespace procession::detail
