#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "platform/descriptor.hpp"

// A socket connected to itself, in whose queue open files wait for any process that has the socket.
// They stay open there when everyone who knew of them has ended. Its users see to it that one of
// them uses it at a time.
namespace procession::platform {

/// What is written beside each file.
struct QueuedTag {
  std::uint64_t place;
  std::uint64_t key;
  std::uint64_t more;  ///< what else is to be known of the file
};

Descriptor make_descriptor_queue();

/// Adds an open file behind all others. False when there is no room left.
bool enqueue(int queue, const QueuedTag& tag, int descriptor);

/// The tag at `index`, counted from the front; empty behind the last.
std::optional<QueuedTag> queued_tag(int queue, std::size_t index);

/// Another descriptor of the open file at `index`. Throws ProcessError when this process can have
/// no more descriptors.
Descriptor queued_descriptor(int queue, std::size_t index);

/// Closes the file at the front.
void dequeue(int queue) noexcept;

}  // namespace procession::platform
