#include "channel/descriptor_broker.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "channel/ordered_close.hpp"
#include "channel/socket_share.hpp"
#include "heap/root_words.hpp"
#include "heap/testing.hpp"
#include "platform/descriptor_queue.hpp"
#include "platform/memory.hpp"
#include "platform/mutex.hpp"
#include "platform/wait.hpp"
#include "procession/error.hpp"

namespace procession::channel {

namespace {

using heap::testing::step;
using platform::QueuedTag;

std::atomic<int> broker{-1};
/// There may be something on its way that this process has sent.
std::atomic<bool> queued_here{false};

struct Shared {
  platform::RobustMutex mutex;
  std::atomic<std::uint64_t> keys;  ///< how many were given out
};

Shared& shared() {
  return heap::shared_by_tree<Shared>(&heap::RootWords::descriptor_broker,
                                      [](Shared& made) { made.mutex.init(); });
}

/// So many descriptors may be on their way; the system's own limit is that of open files. To sweep
/// takes longer by the square of their number.
constexpr std::size_t kMostQueued = 512;

/// A death leaves nothing to repair but an entry that is there twice.
class Lock {
 public:
  Lock() : mutex_(shared().mutex) {
    if (mutex_.lock().previous_owner_died) mutex_.make_consistent();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() { mutex_.unlock(); }

 private:
  platform::RobustMutex& mutex_;
};

/// The payload of a ticket's block.
struct TicketObject {
  std::uint64_t key;
};

bool is_alive(const QueuedTag& tag) {
  try {
    const heap::Block held = heap::Block::own(heap::hold(tag.place, heap::self()));
    const std::atomic_ref<std::uint64_t> key(heap::at<TicketObject>(tag.place)->key);
    return key.load(std::memory_order_acquire) == tag.key;
  } catch (const ProcessError&) {
    return false;
  }
}

std::vector<QueuedTag> tags() {
  std::vector<QueuedTag> found;
  while (const auto tag = platform::queued_tag(broker, found.size()))
    found.push_back(*tag);
  return found;
}

/// The file at the front, if it is a socket that nobody has any more: its connection is to be
/// ended.
platform::Descriptor last_of_a_socket(heap::Offset name) noexcept {
  if (name == 0) return {};
  try {
    platform::Descriptor socket = platform::queued_descriptor(broker, 0);
    if (!SocketShare::is_known(name, socket.get())) return socket;
  } catch (const ProcessError&) {
    // There are no descriptors left: then it is closed without more ado.
  }
  return {};
}

/// Takes out what nobody will fetch any more. Sockets that nobody has any more are added to
/// `ended`.
void sweep(std::vector<platform::Descriptor>& ended) {
  struct Entry {
    QueuedTag tag;
    bool dead;
  };
  std::vector<Entry> entries;
  std::size_t needed = 0;  // entries up to the last dead one
  const std::vector<QueuedTag> found = tags();
  for (auto tag = found.begin(); tag != found.end(); ++tag) {
    const bool again = std::any_of(tag + 1, found.end(),
                                   [&](const QueuedTag& other) { return other.key == tag->key; });
    entries.push_back({*tag, again || !is_alive(*tag)});
    if (entries.back().dead) needed = entries.size();
  }
  for (std::size_t i = 0; i != needed; ++i) {
    if (!entries[i].dead) {
      const platform::Descriptor file = platform::queued_descriptor(broker, 0);
      if (!platform::enqueue(broker, entries[i].tag, file.get())) return;
      step();
    } else if (platform::Descriptor socket = last_of_a_socket(entries[i].tag.more)) {
      ended.push_back(std::move(socket));
    }
    platform::dequeue(broker);
    step();
  }
  if (!platform::queued_tag(broker, 0)) queued_here = false;
}

/// Without the descriptor broker's lock: it may have to start a thread.
void end_all(std::vector<platform::Descriptor> sockets) noexcept {
  for (platform::Descriptor& socket : sockets)
    close_in_order(std::move(socket));
}

/// False when there are too many.
bool enqueue(const QueuedTag& tag, int descriptor) {
  return !platform::queued_tag(broker, kMostQueued - 1) &&
         platform::enqueue(broker, tag, descriptor);
}

[[noreturn]] void refuse_more() {
  throw ProcessError("asked to send a connection while " + std::to_string(tags().size()) +
                     " are on their way between the processes of this tree, and no more than " +
                     std::to_string(kMostQueued) +
                     " can be (fewer, where the limit of open files is lower); have some of them "
                     "received first");
}

/// How a message says where its descriptor is.
struct DescriptorName {
  std::uint64_t place;  ///< of the ticket; 0: it was passed at the start of the process
  std::uint64_t key;    ///< of the ticket, or the number of what was passed
};

}  // namespace

int broker_socket() {
  int known = broker;
  if (known < 0) {
    platform::Descriptor made = platform::make_descriptor_queue();
    if (broker.compare_exchange_strong(known, made.get())) known = made.release();
  }
  return known;
}

void adopt_broker(int descriptor) noexcept {
  platform::close_on_exec(descriptor);
  broker = descriptor;
}

DescriptorTicket enqueue_descriptor(int descriptor, heap::Block& block, heap::Offset share) {
  static_cast<void>(broker_socket());
  block = heap::Block(sizeof(TicketObject));
  const DescriptorTicket ticket{block.offset(), ++shared().keys};
  heap::at<TicketObject>(ticket.place)->key = ticket.key;
  step();
  const QueuedTag tag{ticket.place, ticket.key, share};
  std::vector<platform::Descriptor> ended;
  {
    const Lock lock;
    queued_here = true;
    if (!enqueue(tag, descriptor)) {
      sweep(ended);
      if (!enqueue(tag, descriptor)) {
        // Perhaps those on their way go to nobody any more.
        heap::reclaim();
        sweep(ended);
        if (!enqueue(tag, descriptor)) refuse_more();
      }
    }
    step();
  }
  end_all(std::move(ended));
  return ticket;
}

platform::Descriptor fetch_descriptor(const DescriptorTicket& ticket) {
  static_cast<void>(broker_socket());
  const Lock lock;
  for (std::size_t i = 0;; ++i) {
    const auto tag = platform::queued_tag(broker, i);
    if (!tag) {
      throw DecodeError(
          "asked to receive a connection whose descriptor is no longer on its way; the message was "
          "damaged, or this process was forked before the tree had its first Pipe() or Process");
    }
    if (tag->place == ticket.place && tag->key == ticket.key) {
      return platform::queued_descriptor(broker, i);
    }
  }
}

Sending encode_descriptor(Encoder& encoder, int descriptor, heap::Offset share) {
  DescriptorName name{};
  if (const auto number = encoder.pass_descriptor(descriptor)) {
    name.key = *number;
  } else {
    heap::Block block;
    const DescriptorTicket ticket = enqueue_descriptor(descriptor, block, share);
    try {
      encoder.attach(ticket.place);
    } catch (...) {
      block = heap::Block();
      sweep_broker();
      throw;
    }
    name = {ticket.place, ticket.key};
  }
  procession::encode(encoder, name);
  return name.place == 0 ? Sending::at_start : Sending::queued;
}

SentDescriptor decode_descriptor(Decoder& decoder) {
  const auto name = procession::decode<DescriptorName>(decoder);
  if (name.place == 0) return {platform::Descriptor(decoder.take_passed(name.key)), false};
  return {fetch_descriptor({name.place, name.key}), true};
}

void sweep_broker() noexcept {
  try {
    if (broker < 0) return;
    if (!platform::wait_readable(broker, platform::Deadline(std::chrono::nanoseconds(0)))) {
      if (!broker_may_have_sent()) return;
      const Lock lock;
      if (!platform::queued_tag(broker, 0)) queued_here = false;
      return;
    }
    std::vector<platform::Descriptor> ended;
    {
      const Lock lock;
      sweep(ended);
    }
    end_all(std::move(ended));
  } catch (const std::exception&) {
    // No descriptor or memory left for it: the next one who comes by may have some.
  }
}

bool broker_may_have_sent() noexcept { return queued_here.load(std::memory_order_relaxed); }

void sweep_broker_of_sent() noexcept {
  if (broker_may_have_sent()) sweep_broker();
}

}  // namespace procession::channel
