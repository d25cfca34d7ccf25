#include <bit>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.hpp"
#include "platform/copy_check.hpp"
#include "platform/descriptor.hpp"
#include "platform/image.hpp"
#include "platform/parent_watch.hpp"
#include "platform/signals.hpp"
#include "platform/socket.hpp"
#include "platform/spawn.hpp"
#include "platform/streams.hpp"
#include "process/boot.hpp"
#include "process/failure.hpp"
#include "process/fork_request.hpp"
#include "process/fork_server.hpp"
#include "process/record.hpp"
#include "procession/callable.hpp"
#include "procession/codec.hpp"
#include "procession/error.hpp"
#include "sync/adaptive_spin.hpp"

namespace procession::process {

namespace {

/// Runs the preload call, if there is one. Returns what it threw, as text.
std::string preload(const Record& record) {
  if (record.call == 0) {
    return "";
  }
  const platform::CopyCheck check;
  try {
    Decoder decoder({heap::at(record.call), record.call_size});
    detail::run_encoded_call(decoder);
    check.end_copies("the preload function of a fork server");
    return "";
  } catch (...) {
    check.end_copies("the preload function of a fork server");
    return failure_text(std::current_exception());
  }
}

/// Does once what every copy would have to do for itself: looks up this image's name and the
/// standard streams, touches the tables of the log and of names, decodes a message, and learns how
/// many processors there are.
void rehearse() {
  platform::flush_streams();
  platform::main_image();
  platform::loaded_images();
  BufferEncoder bytes;
  encode(bytes, BootMessage{});
  Decoder decoder(bytes.bytes());
  set_identity(decode<BootMessage>(decoder).identity());
  log::begin_process(identity().name, log::stderr_level());
  sync::AdaptiveSpin::prepare();
}

/// In the copy: the requester's standard descriptors and working directory become this process's.
/// What is left is what the call brings along.
void take_over(const ForkRequest& request, std::vector<platform::Descriptor>& descriptors) {
  std::size_t next = 0;
  for (int number = 0; number < 3; ++number) {
    const bool sent = (request.sent & 1U << number) != 0 && next < descriptors.size();
    if (sent) {
      platform::replace(number, descriptors[next++].get());
    } else {
      platform::Descriptor(number).reset();
    }
  }
  if ((request.sent & 1U << 3) != 0 && next < descriptors.size()) {
    platform::change_directory(descriptors[next++].get());
  }
  descriptors.erase(descriptors.begin(), descriptors.begin() + static_cast<std::ptrdiff_t>(next));
}

void send(const platform::Descriptor& socket, std::span<const ForkReply> replies,
          std::string_view failure) {
  const auto each = std::as_bytes(replies);
  const auto text = std::as_bytes(std::span(failure.substr(0, kMostFailureText)));
  std::vector<std::byte> message(each.begin(), each.end());
  message.insert(message.end(), text.begin(), text.end());
  platform::send_message(socket.get(), message, {});
}

/// What the server keeps open.
struct Own {
  platform::Descriptor watch;  ///< ends this process with its parent
  platform::Descriptor watched;
  platform::Descriptor socket;
};

/// Copies this process. Returns in the server only.
ForkReply serve(const ForkRequest& request, std::vector<platform::Descriptor>& descriptors,
                Own& own) {
  if (!platform::can_clone_sibling()) {
    return {ForkReply::cannot_clone, 0};
  }
  const auto sent = static_cast<std::size_t>(std::popcount(request.sent));
  if (descriptors.size() < sent + record_at(request.claim.record).passed) {
    // The kernel leaves out those for which this process has no number.
    return {ForkReply::failed, EMFILE};
  }
  // Cheaper here, where as a rule it has been done before, than in the copy: what is in use of the
  // users' memory becomes accessible, and a parent watch is opened.
  static_cast<void>(heap::at(record_at(request.claim.record).call));
  platform::Descriptor its_watch;
  try {
    its_watch = platform::open_own(own.watched.get());
  } catch (const ProcessError&) {
    // The copy tries, if it needs one, and says what fails.
  }
  // The requester finds it there even when this process and the copy are killed before either can
  // say anything.
  const int pid = platform::clone_sibling(&record_at(request.claim.record).copied());
  if (pid != 0) {
    return pid > 0 ? ForkReply{ForkReply::started, pid} : ForkReply{ForkReply::failed, -pid};
  }
  own.watch.reset();
  platform::restore_interrupts();
  try {
    take_over(request, descriptors);
  } catch (...) {
    report_failure("Process", "copied from the fork server", std::current_exception());
    platform::exit_now(1);
  }
  // The socket is held until the record is taken: a client that sees it closed, because the server
  // was killed, knows that no child of it will come yet.
  run_child(request.claim, std::move(own.watched), std::move(descriptors),
            {std::move(own.socket), std::move(its_watch)});
}

}  // namespace

void serve_forks(heap::Offset record, platform::Descriptor watched, platform::Descriptor socket) {
  // Ends with the parent also where the preload function hangs, and nobody reads the socket.
  Own own{platform::open_own(watched.get()), std::move(watched), std::move(socket)};
  try {
    platform::die_with(own.watch, false);
  } catch (const ProcessError&) {
    // A sandbox forbids it. The end of the socket ends this process too, and a child that needs a
    // line of its own says what is forbidden.
  }
  platform::ignore_interrupts();
  platform::fill_standard_descriptors();
  const std::string failure = preload(record_at(record));
  rehearse();
  std::vector<ForkReply> replies;
  for (;;) {
    ForkRequest request{};
    platform::Received received =
        platform::receive_message(own.socket.get(), std::as_writable_bytes(std::span(&request, 1)));
    if (received.size != sizeof request) {
      platform::exit_now(0);
    }
    if (!Record::stands(request.claim)) {
      platform::exit_now(0);  // whoever sent it has been killed
    }
    replies.push_back(failure.empty() ? serve(request, received.descriptors, own)
                                      : ForkReply{ForkReply::preload_failed, 0});
    // Whoever has sent several requests waits for all of them, and is woken once.
    if (request.more == 0) {
      send(own.socket, replies, failure);
      replies.clear();
    }
  }
}

}  // namespace procession::process
