// What a manager and its objects are in the shared heap.
//
// A manager is a block that names its server's accept queue. Each object is a small block of
// its own, which holds the manager's. Whoever has a proxy holds the object's block, in whatever
// process, and so does each message that carries one, so nobody has to tell the server when a proxy
// is made or gone: the server has one hold on each, and an object on which that is the only one is
// gone from everybody else, for good.
#pragma once

#include <atomic>
#include <cstdint>

#include "heap/heap.hpp"
#include "manager/leader_state.hpp"
#include "procession/detail/handle.hpp"

namespace procession::manager {

inline constexpr std::uint64_t kManagerKind = 0x72'6567'616e'616d;
inline constexpr std::uint64_t kObjectKind = 0x65'6a62'6f6d'616d;

struct ManagerBlock {
  detail::ObjectHeader header;
  heap::Offset accept_queue;          ///< block with the encoded handle of the queue
  std::uint64_t accept_queue_size;    ///< bytes of that
  std::uint64_t on_thread;            ///< 1: the server is a thread of its owner's process
  std::atomic<std::uint32_t> load;    ///< how many sessions call these days
  LeaderState leader;                 ///< for clients to see where many call
  std::atomic<heap::Offset> server;   ///< record of the server's process; 0: it has not begun
  std::atomic<std::uint32_t> serial;  ///< of that record, which may be another process's later
  std::atomic<std::uint32_t> ended;   ///< 1: the server has been shut down
  std::atomic<std::uint32_t> ending;  ///< 1: its owner has begun with that
};

struct ObjectBlock {
  detail::ObjectHeader header;
  heap::Offset manager;
};

}  // namespace procession::manager
