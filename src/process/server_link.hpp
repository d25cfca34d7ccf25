#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <vector>

#include "heap/heap.hpp"
#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"
#include "process/fork_request.hpp"
#include "process/fork_server.hpp"

namespace procession::process {

/// A child that is wanted, and where to say what came of it.
struct Order {
  heap::Offset record;
  std::span<const platform::Descriptor> passed;
  ForkServer::Started* started;
};

/// What a child gets from this process as it is now.
struct Surroundings {
  std::vector<int> descriptors;
  platform::Descriptor folder;
  std::uint16_t sent = 0;  ///< see ForkRequest

  static Surroundings look();

 private:
  void add(int descriptor, int bit);
};

/// A fork server as its client sees it: a process, the socket to it, and what it was asked.
class ServerLink {
 public:
  /// Requests that are sent before the first reply is read: few enough for the socket to hold.
  static constexpr std::size_t kAhead = 16;

  /// Executes this program's image for a server, which runs the call `preload`, if it is not 0.
  static ServerLink launch(heap::Offset preload, std::size_t preload_size);

  /// Makes ready for at most `kAhead` orders. What the replies need is there when this returns, so
  /// that none is left unread.
  void take(std::vector<Order> orders, std::uint16_t attempt);
  /// Sends the requests for them.
  void ask(const Surroundings& surroundings) noexcept;

  struct Outcome {
    std::vector<Order> left;    ///< still to be carried out
    bool gone = false;          ///< the server has ended, and the link too
    int exitcode = 0;           ///< of a server that has
    bool cannot_clone = false;  ///< nor will any other server
  };
  /// Waits for what comes of the requests.
  Outcome outcome();

  /// Closes our end, which ends an idle server.
  void close() noexcept { socket_.reset(); }
  /// Closes it and waits for that; a server that is left when the grace is over is killed. Returns
  /// its exit code.
  int end(const platform::Deadline& grace) noexcept;

 private:
  bool send(const Order& order, bool more, const Surroundings& surroundings);
  bool receive();
  bool settle(const Order& order, const ForkReply& reply) const;
  bool settle_lost(const Order& order) const;

  int pid_ = 0;
  platform::Descriptor socket_;
  heap::HoldId record_ = 0;
  std::uint32_t serial_ = 0;  ///< of the record
  std::vector<Order> asked_;
  std::uint16_t attempt_ = 0;
  std::exception_ptr failure_;  ///< of sending
  std::vector<ForkReply> replies_;
  std::vector<std::byte> room_;  ///< for a message with them
  std::size_t text_size_ = 0;    ///< bytes behind them
};

}  // namespace procession::process
