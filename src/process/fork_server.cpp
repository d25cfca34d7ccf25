#include "process/fork_server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "channel/depot.hpp"
#include "platform/life.hpp"
#include "platform/socket.hpp"
#include "platform/spawn.hpp"
#include "platform/system_error.hpp"
#include "platform/wait.hpp"
#include "process/boot_variable.hpp"
#include "process/fork_request.hpp"
#include "process/life_line.hpp"
#include "process/record.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

/// How often a server that ends before it has served anything is started anew.
constexpr int kAttempts = 3;
/// The same where the servers were killed, which is rarely the program's fault.
constexpr int kAttemptsWhenKilled = 20;
constexpr int kKilled = -9;  // exit code

/// Requests that are sent before the first reply is read: few enough for the socket to hold.
constexpr std::size_t kAhead = 16;

struct Server {
  int pid = 0;
  platform::Descriptor socket;
  heap::Ticket record = 0;
  std::uint32_t serial = 0;  ///< of the record
};

Record::Claim claim_of(heap::Offset record, std::uint16_t attempt = 0) {
  return {record, record_at(record).serial, attempt};
}

Server launch(heap::Offset preload, std::size_t preload_size) {
  auto [mine, its] = platform::message_pair();
  Server server;
  server.record = make_record(true);
  Record& record = record_at(heap::target(server.record));
  server.serial = record.serial;
  record.call = preload;
  record.call_size = preload_size;
  try {
    const std::array<int, 4> passed{heap::descriptor(), watched_line(), channel::depot_descriptor(),
                                    its.get()};
    server.pid = platform::execute_self(
        passed, boot_variables(BootRole::server, claim_of(heap::target(server.record))),
        "procession-forkserver");
  } catch (...) {
    bury(server.record, server.serial);
    throw;
  }
  server.socket = std::move(mine);
  return server;
}

/// What a child gets from this process as it is now.
struct Surroundings {
  std::vector<int> descriptors;
  platform::Descriptor folder;
  std::uint16_t sent = 0;  ///< see ForkRequest

  Surroundings() {
    // Before the folder is opened, which may get the number of one that is closed.
    for (int number = 0; number < 3; ++number) {
      if (platform::is_open(number)) {
        add(number, number);
      }
    }
    folder = platform::working_directory();
    if (folder) {
      add(folder.get(), 3);
    }
  }

 private:
  void add(int descriptor, int bit) {
    descriptors.push_back(descriptor);
    sent = static_cast<std::uint16_t>(sent | 1U << bit);
  }
};

/// False when the server has gone; so does the next.
bool send(const Server& server, const ForkRequest& request, const Surroundings& surroundings,
          std::span<const platform::Descriptor> passed) {
  std::vector<int> descriptors = surroundings.descriptors;
  for (const platform::Descriptor& descriptor : passed) {
    descriptors.push_back(descriptor.get());
  }
  return platform::send_message(server.socket.get(), std::as_bytes(std::span(&request, 1)),
                                descriptors) == platform::Delivery::done;
}

struct Replies {
  std::vector<ForkReply> each;  ///< none when the server has gone
  std::string failure;          ///< of the preload function
};

Replies receive(const Server& server, std::size_t requests) {
  const std::size_t of_replies = requests * sizeof(ForkReply);
  std::vector<std::byte> room(of_replies + kMostFailureText);
  const std::size_t size = platform::receive_message(server.socket.get(), room).size;
  Replies replies;
  if (size >= of_replies) {
    replies.each.resize(requests);
    std::memcpy(replies.each.data(), room.data(), of_replies);
    replies.failure.assign(reinterpret_cast<const char*>(room.data()) + of_replies,
                           size - of_replies);
  }
  return replies;
}

}  // namespace

struct ForkServer::State {
  /// What is wanted and where to say what came of it.
  struct Order {
    heap::Offset record;
    std::span<const platform::Descriptor> passed;
    Started* started;
  };

  std::mutex mutex;
  std::optional<Server> server;
  bool clones = true;  // false once a server said that it cannot copy itself
  heap::Block preload;
  std::size_t preload_size = 0;

  /// Closes our end, which ends an idle server, and waits for that; a server that does not see it
  /// is killed.
  int end() {
    server->socket.reset();
    const platform::Descriptor process = platform::open_process(server->pid);
    if (process &&
        !platform::wait_readable(process.get(), platform::Deadline(std::chrono::seconds(2)))) {
      platform::send_signal(process.get(), platform::Signal::kill);
    }
    const platform::Reaped reaped = platform::reap_waiting(server->pid);
    bury(server->record, server->serial);
    server.reset();
    return reaped.exitcode;
  }

  void start(std::vector<Order> orders);
  std::vector<Order> ask(const std::vector<Order>& orders, std::uint16_t attempt);
  bool settle(Started& started, const ForkReply& reply, const std::string& preload_failure);

  int last_exitcode = 0;  ///< of a server that ended by itself
};

ForkServer::ForkServer() : state_(std::make_unique<State>()) {}

namespace {
std::atomic<ForkServer*> own_server{nullptr};
}

ForkServer& ForkServer::instance() {
  // Never destroyed: exit handlers use it.
  static auto* const server = [] {
    own_server = new ForkServer;
    return own_server.load();
  }();
  return *server;
}

std::vector<ForkServer::Started> ForkServer::start(std::span<const Wanted> wanted) {
  const std::lock_guard guard(state_->mutex);
  std::vector<Started> started(wanted.size());
  for (std::size_t first = 0; first < wanted.size(); first += kAhead) {
    std::vector<State::Order> orders;
    for (std::size_t i = first; i < std::min(wanted.size(), first + kAhead); ++i) {
      orders.push_back({heap::target(wanted[i].record), wanted[i].passed, &started[i]});
    }
    state_->start(std::move(orders));
  }
  return started;
}

void ForkServer::State::start(std::vector<Order> orders) {
  try {
    std::uint16_t attempt = 0;
    int ended = 0;  // servers of their own accord
    while (ended < kAttempts && attempt < kAttemptsWhenKilled && clones && !orders.empty()) {
      if (!server) {
        server = launch(preload.offset(), preload_size);
      }
      orders = ask(orders, ++attempt);
      ended += !orders.empty() && last_exitcode != kKilled ? 1 : 0;
    }
    if (!orders.empty() && clones) {
      throw ProcessError(
          "cannot start a process: the fork server ended " + std::to_string(attempt) +
          " times before it could serve (exit code " + std::to_string(last_exitcode) +
          "); main() must call procession::init() first, and neither a static constructor nor the "
          "function given to set_forkserver_preload may end the program");
    }
    for (const Order& order : orders) {
      record_at(order.record).request(0);
      order.started->pid = spawn_child(order.record, order.passed);
    }
  } catch (...) {
    for (const Order& order : orders) {
      if (order.started->pid == 0) {
        order.started->failure = std::current_exception();
      }
    }
  }
}

/// Sends all requests, then waits for the replies. Returns the orders that are still to be carried
/// out.
std::vector<ForkServer::State::Order> ForkServer::State::ask(const std::vector<Order>& orders,
                                                             std::uint16_t attempt) {
  const Surroundings surroundings;
  for (const Order& order : orders) {
    record_at(order.record).request(attempt);
    record_at(order.record).copied() = 0;
  }
  bool gone = false;
  std::exception_ptr failure;
  try {
    for (const Order& order : orders) {
      const bool more = &order != &orders.back();
      gone = gone || !send(*server,
                           {claim_of(order.record, attempt), surroundings.sent,
                            static_cast<std::uint16_t>(more ? 1 : 0)},
                           surroundings, order.passed);
    }
  } catch (const ProcessError&) {
    // Whatever was sent before is not left for others to read the replies of.
    failure = std::current_exception();
    platform::send_signal_to(server->pid, platform::Signal::kill);
  }
  std::vector<Order> left;
  // A server that has gone may have answered before.
  if (const Replies replies = receive(*server, orders.size()); !replies.each.empty()) {
    for (std::size_t i = 0; i < orders.size(); ++i) {
      if (!settle(*orders[i].started, replies.each[i], replies.failure)) {
        left.push_back(orders[i]);
      }
    }
    return left;
  }
  last_exitcode = end();
  for (const Order& order : orders) {
    // The server died over this request. A child that took it all the same is the one that was
    // asked for.
    if (record_at(order.record).cancel(attempt)) {
      if (const int late = record_at(order.record).copied(); late != 0) {
        platform::send_signal_to(late, platform::Signal::kill);
        platform::reap_waiting(late);
      }
      if (failure != nullptr) {
        order.started->failure = failure;
      } else {
        left.push_back(order);
      }
    } else {
      order.started->pid = record_at(order.record).pid();
    }
  }
  return left;
}

/// False when the order is to be carried out in another way.
bool ForkServer::State::settle(Started& started, const ForkReply& reply,
                               const std::string& preload_failure) {
  switch (reply.result) {
    case ForkReply::started:
      started.pid = reply.value;
      return true;
    case ForkReply::failed:
      started.failure = std::make_exception_ptr(
          ProcessError(platform::system_error_text("start a process", reply.value)));
      return true;
    case ForkReply::preload_failed:
      started.failure = std::make_exception_ptr(ProcessError(
          "cannot start a process: the function given to set_forkserver_preload failed in the fork "
          "server with " +
          preload_failure));
      return true;
    default:
      clones = false;
      return false;
  }
}

void ForkServer::stop() noexcept {
  ForkServer* const existing = own_server;
  if (existing == nullptr) {
    return;
  }
  const std::lock_guard guard(existing->state_->mutex);
  if (existing->state_->server) {
    existing->state_->end();
  }
}

void ForkServer::set_preload(heap::Block encoded_call, std::size_t size) {
  const std::lock_guard guard(state_->mutex);
  if (state_->server) {
    state_->end();
  }
  state_->preload = std::move(encoded_call);
  state_->preload_size = size;
  state_->clones = true;
}

void ForkServer::lock_for_fork() { state_->mutex.lock(); }
void ForkServer::unlock_for_fork() noexcept { state_->mutex.unlock(); }

void ForkServer::forget() noexcept {
  state_->server.reset();
  static_cast<void>(state_->preload.release());
}

int spawn_child(heap::Offset record, std::span<const platform::Descriptor> passed) {
  std::vector<int> descriptors{heap::descriptor(), watched_line(), channel::depot_descriptor()};
  for (const platform::Descriptor& descriptor : passed) {
    descriptors.push_back(descriptor.get());
  }
  return platform::execute_self(descriptors, boot_variables(BootRole::child, claim_of(record)),
                                "procession-child");
}

}  // namespace procession::process
