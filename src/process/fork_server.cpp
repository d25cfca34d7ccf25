#include "process/fork_server.hpp"

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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

struct Server {
  int pid = 0;
  platform::Descriptor socket;
  heap::Ticket record = 0;
};

Server launch(heap::Offset preload, std::size_t preload_size) {
  auto [mine, its] = platform::message_pair();
  Server server;
  server.record = make_record();
  Record& record = record_at(heap::target(server.record));
  record.call = preload;
  record.call_size = preload_size;
  try {
    const std::array<int, 3> passed{heap::descriptor(), watched_line(), its.get()};
    server.pid = platform::execute_self(
        passed, boot_variables(BootRole::server, heap::target(server.record)),
        "procession-forkserver");
  } catch (...) {
    bury(server.record);
    throw;
  }
  server.socket = std::move(mine);
  return server;
}

/// Asks for one child. False when the server has gone.
bool ask(const Server& server, heap::Offset record, std::uint16_t attempt, ForkReply& reply) {
  ForkRequest request{record, attempt, 0};
  std::vector<int> descriptors;
  for (int number = 0; number < 3; ++number) {
    if (platform::is_open(number)) {
      descriptors.push_back(number);
      request.sent = static_cast<std::uint16_t>(request.sent | 1U << number);
    }
  }
  const platform::Descriptor folder = platform::working_directory();
  if (folder) {
    descriptors.push_back(folder.get());
    request.sent = static_cast<std::uint16_t>(request.sent | 1U << 3);
  }
  return platform::send_message(server.socket.get(), std::as_bytes(std::span(&request, 1)),
                                descriptors) == platform::Delivery::done &&
         platform::receive_message(server.socket.get(),
                                   std::as_writable_bytes(std::span(&reply, 1)))
                 .size != 0;
}

}  // namespace

struct ForkServer::State {
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
    bury(server->record);
    server.reset();
    return reaped.exitcode;
  }
};

ForkServer::ForkServer() : state_(std::make_unique<State>()) {}

ForkServer& ForkServer::instance() {
  static auto* const server = new ForkServer;  // never destroyed: exit handlers use it
  return *server;
}

int ForkServer::start(heap::Ticket ticket) {
  const std::lock_guard guard(state_->mutex);
  const heap::Offset offset = heap::target(ticket);
  Record& record = record_at(offset);
  int exitcode = 0;
  for (std::uint16_t attempt = 1; attempt <= kAttempts && state_->clones; ++attempt) {
    if (!state_->server) {
      state_->server = launch(state_->preload.offset(), state_->preload_size);
    }
    ForkReply reply{};
    record.request(attempt);
    if (!ask(*state_->server, offset, attempt, reply)) {
      exitcode = state_->end();
      // The server died over this request. A child that took it all the same is the one that was
      // asked for.
      if (!record.cancel(attempt)) {
        return record.pid();
      }
      continue;
    }
    switch (reply.result) {
      case ForkReply::started:
        return reply.value;
      case ForkReply::failed:
        platform::throw_system_error("start a process", reply.value);
      case ForkReply::preload_failed:
        state_->end();
        throw ProcessError(
            "cannot start a process: the function given to set_forkserver_preload failed in the "
            "fork "
            "server with " +
            std::string(reply.text));
      default:
        state_->clones = false;
    }
  }
  if (!state_->clones) {
    record.request(0);
    return spawn_child(offset);
  }
  throw ProcessError(
      "cannot start a process: the fork server ended " + std::to_string(kAttempts) +
      " times before it could serve (exit code " + std::to_string(exitcode) +
      "); main() must call procession::init() first, and neither a static constructor nor the "
      "function given to set_forkserver_preload may end the program");
}

void ForkServer::stop() noexcept {
  const std::lock_guard guard(state_->mutex);
  if (state_->server) {
    state_->end();
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

int spawn_child(heap::Offset record) {
  const std::array<int, 2> passed{heap::descriptor(), watched_line()};
  return platform::execute_self(passed, boot_variables(BootRole::child, record),
                                "procession-child");
}

}  // namespace procession::process
