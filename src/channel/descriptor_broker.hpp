// Descriptors on their way to processes that already run.
//
// A message of shared memory cannot carry a descriptor, and its sender may be dead when it is read.
// So the descriptor is queued in a socket that every process of the tree inherits
// (platform/descriptor_queue.hpp), and the message names, and holds, a *ticket*: a small block. A
// descriptor stays queued as long as its ticket lives, because some messages are read more than
// once (the argument of a task that is retried); who comes by closes those whose tickets are gone.
//
// One process at a time uses the socket, by a mutex in the shared heap. Nothing is removed but from
// the front; to get at what is dead further behind, those before it are queued anew at the end
// *before* they are removed, so that a SIGKILL leaves one too many at worst.
#pragma once

#include <cstdint>

#include "heap/heap.hpp"
#include "platform/descriptor.hpp"
#include "procession/codec.hpp"

namespace procession::channel {

/// The descriptor broker's socket, to be handed to children. Made by the first who asks, which is
/// the tree's first process before it has a child. Throws ProcessError.
int broker_socket();

/// At the start of a child: the descriptor broker that it was given.
void adopt_broker(int descriptor) noexcept;

/// What a message says of a descriptor.
struct DescriptorTicket {
  heap::Offset place;  ///< of a block
  std::uint64_t key;   ///< different for each
};

/// Queues a duplicate of `descriptor`. `block` is the ticket; the message is to hold it. `share`
/// names those who have a socket (socket_share.hpp); 0: it is none. Throws ProcessError when too
/// many are on their way, OutOfMemory.
DescriptorTicket enqueue_descriptor(int descriptor, heap::Block& block, heap::Offset share = 0);

/// A descriptor of what was queued. Throws DecodeError when it is not there; ProcessError when this
/// process can have no more descriptors.
platform::Descriptor fetch_descriptor(const DescriptorTicket& ticket);

/// Writes how the receiver comes by a duplicate of `descriptor`: it is passed at the start of the
/// process that the bytes go to, or queued. Throws as `enqueue_descriptor`.
enum class Sending { at_start, queued };
Sending encode_descriptor(Encoder& encoder, int descriptor, heap::Offset share = 0);

struct SentDescriptor {
  platform::Descriptor descriptor;
  bool queued;  ///< a copy is in the descriptor broker as long as the message lives
};

/// The counterpart. Throws as `fetch_descriptor`.
SentDescriptor decode_descriptor(Decoder& decoder);

/// Closes what nobody will fetch any more. Costs one system call where nothing is queued.
void sweep_broker() noexcept;
/// Does so where something may be on its way that this process has sent; else it costs nothing.
void sweep_broker_of_sent() noexcept;
/// Whether something may be.
bool broker_may_have_sent() noexcept;

}  // namespace procession::channel
