#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "heap/heap.hpp"
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

  /// Sends the requests for at most `kAhead` orders.
  void ask(std::vector<Order> orders, std::uint16_t attempt, const Surroundings& surroundings);

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
  /// Closes it and waits for that; a server that does not see it is killed. Returns its exit code.
  int end();

 private:
  bool send(const Order& order, bool more, const Surroundings& surroundings);
  std::vector<ForkReply> receive(std::string& failure);
  std::vector<Order> lost();

  int pid_ = 0;
  platform::Descriptor socket_;
  heap::Ticket record_ = 0;
  std::uint32_t serial_ = 0;  ///< of the record
  std::vector<Order> asked_;
  std::uint16_t attempt_ = 0;
  std::exception_ptr failure_;  ///< of sending
};

}  // namespace procession::process
