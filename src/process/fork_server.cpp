#include "process/fork_server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "channel/descriptor_broker.hpp"
#include "platform/cpu.hpp"
#include "platform/own_mutex.hpp"
#include "platform/spawn.hpp"
#include "platform/standing.hpp"
#include "process/boot_variable.hpp"
#include "process/grace_period.hpp"
#include "process/record.hpp"
#include "process/server_link.hpp"
#include "process/watch_end.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

/// How often a server that ends before it has served anything is started anew.
constexpr int kAttempts = 3;
/// The same where the servers were killed, which is rarely the program's fault.
constexpr int kAttemptsWhenKilled = 20;
constexpr int kKilled = -9;  // exit code

}  // namespace

struct ForkServer::State {
  platform::OwnMutex mutex;
  std::vector<ServerLink> servers;
  platform::Standing standing;  ///< of this process when the servers were started
  bool clones = true;           // false once a server said that it cannot copy itself
  bool may_add = true;          // false once one ended of its own accord
  heap::Block preload;
  std::size_t preload_size = 0;

  void start(std::vector<Order> orders);
  void end(const platform::Deadline& grace) noexcept;
  void end() noexcept { end(platform::Deadline(kServersGracePeriod)); }

 private:
  void add_server();
  std::vector<Order> ask(const std::vector<Order>& orders, std::uint16_t attempt);
  std::vector<Order> take_outcome(std::size_t server);

  int last_exitcode_ = 0;  ///< of the server that ended last
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
  for (std::size_t first = 0; first < wanted.size(); first += ServerLink::kAhead) {
    std::vector<Order> orders;
    for (std::size_t i = first; i < std::min(wanted.size(), first + ServerLink::kAhead); ++i) {
      orders.push_back({heap::target(wanted[i].record), wanted[i].passed, &started[i]});
    }
    state_->start(std::move(orders));
  }
  return started;
}

void ForkServer::State::start(std::vector<Order> orders) {
  try {
    // A child is to have this process's root, users and limits as they are now.
    if (platform::Standing now = platform::Standing::look(); now != standing) {
      end();
      standing = std::move(now);
    }
    // A program that makes a single pool needs one server only.
    const bool often = orders.size() > 1 && !servers.empty();
    std::uint16_t attempt = 0;
    int ended = 0;  // servers of their own accord
    while (ended < kAttempts && attempt < kAttemptsWhenKilled && clones && !orders.empty()) {
      if (servers.empty()) {
        servers.push_back(ServerLink::launch(preload.offset(), preload_size));
      }
      orders = ask(orders, ++attempt);
      ended += !orders.empty() && last_exitcode_ != kKilled ? 1 : 0;
    }
    if (often) {
      add_server();
    }
    if (!orders.empty() && clones) {
      throw ProcessError(
          "cannot start a process: the fork server ended " + std::to_string(attempt) +
          " times before it could serve (exit code " + std::to_string(last_exitcode_) +
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

/// A second server, so that the next children that are wanted at once come to be side by side. Not
/// where it would need a preload of its own.
void ForkServer::State::add_server() {
  if (servers.size() != 1 || preload || !may_add || platform::affinity_cpus() == 1) {
    return;
  }
  try {
    servers.push_back(ServerLink::launch(0, 0));
  } catch (const ProcessError&) {
    // The one that is there goes on alone.
  }
}

/// Sends all requests, to the servers in turn, then waits for the replies. Returns the orders that
/// are still to be carried out.
std::vector<Order> ForkServer::State::ask(const std::vector<Order>& orders, std::uint16_t attempt) {
  const Surroundings surroundings = Surroundings::look();
  std::vector<std::vector<Order>> shares(std::min(servers.size(), orders.size()));
  for (std::size_t i = 0; i < orders.size(); ++i) {
    shares[i % shares.size()].push_back(orders[i]);
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    servers[i].take(std::move(shares[i]), attempt);
  }
  std::vector<Order> left;
  left.reserve(orders.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    servers[i].ask(surroundings);
  }
  // The last one first: when it has answered, the others have, as a rule, and nobody sleeps for
  // them. Nor does it matter that those that have gone leave the list.
  for (std::size_t i = shares.size(); i-- != 0;) {
    const std::vector<Order> of_server = take_outcome(i);
    left.insert(left.end(), of_server.begin(), of_server.end());
  }
  return left;
}

std::vector<Order> ForkServer::State::take_outcome(std::size_t server) {
  ServerLink::Outcome outcome = servers[server].outcome();
  clones = clones && !outcome.cannot_clone;
  if (outcome.gone) {
    last_exitcode_ = outcome.exitcode;
    may_add = may_add && outcome.exitcode == kKilled;
    servers.erase(servers.begin() + static_cast<std::ptrdiff_t>(server));
  }
  return std::move(outcome.left);
}

void ForkServer::State::end(const platform::Deadline& grace) noexcept {
  for (ServerLink& server : servers) {
    server.close();
  }
  for (ServerLink& server : servers) {
    server.end(grace);
  }
  servers.clear();
}

void ForkServer::stop(Duration grace) noexcept {
  ForkServer* const existing = own_server;
  if (existing == nullptr) {
    return;
  }
  const std::lock_guard guard(existing->state_->mutex);
  existing->state_->end(platform::Deadline(grace));
}

void ForkServer::set_preload(heap::Block encoded_call, std::size_t size) {
  const std::lock_guard guard(state_->mutex);
  state_->end();
  state_->preload = std::move(encoded_call);
  state_->preload_size = size;
  state_->clones = true;
  state_->may_add = true;
}

void ForkServer::lock_for_fork() { state_->mutex.lock(); }
void ForkServer::unlock_for_fork() noexcept { state_->mutex.unlock(); }

void ForkServer::forget() noexcept {
  state_->servers.clear();
  static_cast<void>(state_->preload.release());
}

int spawn_child(heap::Offset record, std::span<const platform::Descriptor> passed) {
  std::vector<int> descriptors{heap::descriptor(), watch_end(), channel::broker_socket()};
  for (const platform::Descriptor& descriptor : passed) {
    descriptors.push_back(descriptor.get());
  }
  return platform::execute_self(descriptors,
                                boot_variables(BootRole::child, {record, record_at(record).serial}),
                                "procession-child");
}

}  // namespace procession::process
