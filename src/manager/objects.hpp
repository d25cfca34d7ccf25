#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "heap/heap.hpp"
#include "procession/detail/handle.hpp"
#include "procession/detail/served.hpp"

namespace procession::manager {

/// The objects of a server, by the places of their blocks. Thread-safe.
class Objects {
 public:
  explicit Objects(heap::Offset manager) : manager_(manager) {}
  Objects(const Objects&) = delete;
  Objects& operator=(const Objects&) = delete;
  ~Objects();

  /// Adds an object; a handle to its block, without which it would be gone at the next look.
  detail::Handle add(detail::ServedPtr object);
  /// Throws DecodeError when there is none in that place.
  [[nodiscard]] detail::ServedPtr find(heap::Offset block) const;
  [[nodiscard]] std::size_t size() const;

  /// Drops those of the next `most` objects that nobody has any more; whether there were some.
  bool sweep(std::size_t most);
  /// The same for all, and for those that only they had.
  void sweep_all();

 private:
  struct Entry {
    heap::HoldId hold_id;
    detail::ServedPtr object;
  };

  const heap::Offset manager_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<heap::Offset, Entry> entries_;
  std::vector<heap::Offset> order_;  ///< the same, for looks at some of them at a time
  std::size_t next_ = 0;
};

}  // namespace procession::manager
