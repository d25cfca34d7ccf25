#include "process/server_link.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <tuple>
#include <utility>

#include "channel/depot.hpp"
#include "platform/socket.hpp"
#include "platform/spawn.hpp"
#include "platform/system_error.hpp"
#include "platform/wait.hpp"
#include "process/boot_variable.hpp"
#include "process/life_line.hpp"
#include "process/record.hpp"
#include "procession/error.hpp"

namespace procession::process {

Surroundings Surroundings::look() {
  Surroundings found;
  // Before the folder is opened, which may get the number of one that is closed.
  for (int number = 0; number < 3; ++number) {
    if (platform::is_open(number)) {
      found.add(number, number);
    }
  }
  found.folder = platform::working_directory();
  if (found.folder) {
    found.add(found.folder.get(), 3);
  }
  return found;
}

void Surroundings::add(int descriptor, int bit) {
  descriptors.push_back(descriptor);
  sent = static_cast<std::uint16_t>(sent | 1U << bit);
}

ServerLink ServerLink::launch(heap::Offset preload, std::size_t preload_size) {
  ServerLink link;
  platform::Descriptor its;
  std::tie(link.socket_, its) = platform::message_pair();
  link.record_ = make_record(true);
  const heap::Offset offset = heap::target(link.record_);
  Record& record = record_at(offset);
  link.serial_ = record.serial;
  record.call = preload;
  record.call_size = preload_size;
  try {
    const std::array<int, 4> passed{heap::descriptor(), watched_line(), channel::depot_descriptor(),
                                    its.get()};
    link.pid_ = platform::execute_self(
        passed, boot_variables(BootRole::server, {offset, link.serial_}), "procession-forkserver");
  } catch (...) {
    bury(link.record_, link.serial_);
    throw;
  }
  return link;
}

int ServerLink::end() {
  close();
  const platform::Descriptor process = platform::open_process(pid_);
  if (process &&
      !platform::wait_readable(process.get(), platform::Deadline(std::chrono::seconds(2)))) {
    platform::send_signal(process.get(), platform::Signal::kill);
  }
  const platform::Reaped reaped = platform::reap_waiting(pid_);
  bury(record_, serial_);
  return reaped.exitcode;
}

/// False when the server has gone; so does the next.
bool ServerLink::send(const Order& order, bool more, const Surroundings& surroundings) {
  const ForkRequest request{{order.record, record_at(order.record).serial, attempt_},
                            surroundings.sent,
                            static_cast<std::uint16_t>(more ? 1 : 0)};
  std::vector<int> descriptors = surroundings.descriptors;
  for (const platform::Descriptor& descriptor : order.passed) {
    descriptors.push_back(descriptor.get());
  }
  return platform::send_message(socket_.get(), std::as_bytes(std::span(&request, 1)),
                                descriptors) == platform::Delivery::done;
}

void ServerLink::ask(std::vector<Order> orders, std::uint16_t attempt,
                     const Surroundings& surroundings) {
  asked_ = std::move(orders);
  attempt_ = attempt;
  failure_ = nullptr;
  for (const Order& order : asked_) {
    record_at(order.record).request(attempt);
    record_at(order.record).copied() = 0;
  }
  try {
    for (const Order& order : asked_) {
      if (!send(order, &order != &asked_.back(), surroundings)) {
        return;
      }
    }
  } catch (const ProcessError&) {
    // Whatever was sent before is not left for others to read the replies of.
    failure_ = std::current_exception();
    platform::send_signal_to(pid_, platform::Signal::kill);
  }
}

/// One for each request; none when the server has gone.
std::vector<ForkReply> ServerLink::receive(std::string& failure) {
  std::vector<ForkReply> replies(asked_.size());
  const std::size_t of_replies = replies.size() * sizeof(ForkReply);
  std::vector<std::byte> room(of_replies + kMostFailureText);
  const std::size_t size = platform::receive_message(socket_.get(), room).size;
  if (size < of_replies) {
    return {};
  }
  std::memcpy(replies.data(), room.data(), of_replies);
  failure.assign(reinterpret_cast<const char*>(room.data()) + of_replies, size - of_replies);
  return replies;
}

ServerLink::Outcome ServerLink::outcome() {
  Outcome all;
  std::string preload_failure;
  // A server that has gone may have answered before.
  const std::vector<ForkReply> replies = receive(preload_failure);
  if (replies.empty()) {
    all.gone = true;
    all.exitcode = end();
    all.left = lost();
    return all;
  }
  for (std::size_t i = 0; i < replies.size(); ++i) {
    ForkServer::Started& started = *asked_[i].started;
    switch (replies[i].result) {
      case ForkReply::started:
        started.pid = replies[i].value;
        break;
      case ForkReply::failed:
        started.failure = std::make_exception_ptr(
            ProcessError(platform::system_error_text("start a process", replies[i].value)));
        break;
      case ForkReply::preload_failed:
        started.failure = std::make_exception_ptr(ProcessError(
            "cannot start a process: the function given to set_forkserver_preload failed in the "
            "fork server with " +
            preload_failure));
        break;
      default:
        all.cannot_clone = true;
        all.left.push_back(asked_[i]);
    }
  }
  return all;
}

/// The server died over these requests. A child that took one all the same is the one that was
/// asked for.
std::vector<Order> ServerLink::lost() {
  std::vector<Order> left;
  for (const Order& order : asked_) {
    Record& record = record_at(order.record);
    if (!record.cancel(attempt_)) {
      order.started->pid = record.pid();
      continue;
    }
    if (const int late = record.copied(); late != 0) {
      platform::send_signal_to(late, platform::Signal::kill);
      platform::reap_waiting(late);
    }
    if (failure_ != nullptr) {
      order.started->failure = failure_;
    } else {
      left.push_back(order);
    }
  }
  return left;
}

}  // namespace procession::process
