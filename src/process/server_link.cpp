#include "process/server_link.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "channel/descriptor_broker.hpp"
#include "platform/socket.hpp"
#include "platform/spawn.hpp"
#include "platform/system_error.hpp"
#include "platform/wait.hpp"
#include "process/boot_variable.hpp"
#include "process/grace_period.hpp"
#include "process/record.hpp"
#include "process/watch_end.hpp"
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
    const std::array<int, 4> passed{heap::descriptor(), watch_end(), channel::broker_socket(),
                                    its.get()};
    link.pid_ = platform::execute_self(
        passed, boot_variables(BootRole::server, {offset, link.serial_}), "procession-forkserver");
  } catch (...) {
    reap_record(link.record_, link.serial_);
    throw;
  }
  return link;
}

int ServerLink::end(const platform::Deadline& grace) noexcept {
  close();
  try {
    const std::optional<platform::Descriptor> process = platform::open_process(pid_);
    if (process && *process) {
      platform::wait_readable(process->get(), grace);
    }
  } catch (const ProcessError&) {
    // There is no descriptor left to wait with.
  }
  platform::Reaped reaped = platform::reap_within(pid_, grace);
  if (reaped.result == platform::ReapResult::running) {
    platform::send_signal_to(pid_, platform::Signal::kill);
    reaped = platform::reap_waiting(pid_);
  }
  reap_record(record_, serial_);
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

void ServerLink::take(std::vector<Order> orders, std::uint16_t attempt) {
  replies_.resize(orders.size());
  room_.resize(orders.size() * sizeof(ForkReply) + kMostFailureText);
  asked_ = std::move(orders);
  attempt_ = attempt;
  failure_ = nullptr;
  for (const Order& order : asked_) {
    record_at(order.record).request(attempt);
    record_at(order.record).copied() = 0;
  }
}

void ServerLink::ask(const Surroundings& surroundings) noexcept {
  try {
    for (const Order& order : asked_) {
      if (!send(order, &order != &asked_.back(), surroundings)) {
        return;
      }
    }
  } catch (...) {
    // Whatever was sent before is not left for others to read the replies of.
    failure_ = std::current_exception();
    platform::send_signal_to(pid_, platform::Signal::kill);
  }
}

/// False when the server has gone.
bool ServerLink::receive() {
  const std::size_t of_replies = replies_.size() * sizeof(ForkReply);
  text_size_ = platform::receive_message(socket_.get(), room_).size;
  if (text_size_ < of_replies) {
    return false;
  }
  std::memcpy(replies_.data(), room_.data(), of_replies);
  text_size_ -= of_replies;
  return true;
}

ServerLink::Outcome ServerLink::outcome() {
  Outcome all;
  // A server that has gone may have answered before.
  if (receive()) {
    auto reply = replies_.begin();
    std::erase_if(asked_, [&](const Order& order) { return settle(order, *reply++); });
    all.cannot_clone = !asked_.empty();
  } else {
    all.gone = true;
    all.exitcode = end(platform::Deadline(kServersGracePeriod));
    std::erase_if(asked_, [&](const Order& order) { return settle_lost(order); });
  }
  all.left = std::move(asked_);
  return all;
}

/// False when the order is to be carried out in another way.
bool ServerLink::settle(const Order& order, const ForkReply& reply) const {
  switch (reply.result) {
    case ForkReply::started:
      order.started->pid = reply.value;
      return true;
    case ForkReply::failed:
      order.started->failure = std::make_exception_ptr(
          ProcessError(platform::system_error_text("start a process", reply.value)));
      return true;
    case ForkReply::preload_failed:
      order.started->failure = std::make_exception_ptr(ProcessError(
          "cannot start a process: the function given to set_forkserver_preload failed in the fork "
          "server with " +
          std::string(reinterpret_cast<const char*>(room_.data()) + replies_.size() * sizeof reply,
                      text_size_)));
      return true;
    default:
      return false;
  }
}

/// The server died over the request. A child that took it all the same is the one that was asked
/// for. False when there is none, nor a reason why.
bool ServerLink::settle_lost(const Order& order) const {
  Record& record = record_at(order.record);
  if (!record.cancel(attempt_)) {
    order.started->pid = record.pid();
    return true;
  }
  if (const int late = record.copied(); late != 0) {
    platform::send_signal_to(late, platform::Signal::kill);
    platform::reap_waiting(late);
  }
  order.started->failure = failure_;
  return failure_ != nullptr;
}

}  // namespace procession::process
