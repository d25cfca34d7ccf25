#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "channel/descriptor_broker.hpp"
#include "channel/listener.hpp"
#include "channel/transport.hpp"
#include "platform/backoff.hpp"
#include "platform/doorbell.hpp"
#include "platform/wait.hpp"
#include "procession/connection.hpp"
#include "procession/error.hpp"

namespace procession {

namespace {

/// What is closed of the caller's is refused with its place among the others.
[[noreturn]] void refuse_closed(std::size_t index, std::size_t count, const char* what) {
  throw ProcessError("asked to wait for " + std::to_string(count) + " things, of which the " +
                     what + " at index " + std::to_string(index) +
                     " was closed, or moved from; wait before close(), or leave it out");
}

/// What is waited for, for the length of one call.
struct Watched {
  detail::Transport* transport = nullptr;       // null: something else
  detail::ListenerCore* listener = nullptr;     // null: something else
  std::unique_ptr<detail::Transport::Use> use;  // keeps the descriptor open
  int descriptor = -1;
};

/// The readable descriptors, and those of transports that need no descriptor to be ready.
std::vector<std::size_t> readable_within(Duration nap, const std::vector<int>& descriptors,
                                         const std::vector<Watched>& all) {
  std::vector<std::size_t> buffered;
  for (std::size_t i = 0; i != all.size(); ++i) {
    if (all[i].transport != nullptr && all[i].transport->buffered()) buffered.push_back(i);
  }
  if (!buffered.empty()) nap = Duration::zero();
  const std::vector<std::size_t> readable =
      platform::wait_readable_any(descriptors, platform::Deadline(nap));
  std::vector<std::size_t> both;
  std::ranges::set_union(readable, buffered, std::back_inserter(both));
  return both;
}

/// A descriptor stays readable where a message of another program has begun and not ended. It is
/// not watched until the next look, which comes after that time at most.
class PartMessages {
 public:
  void add(std::size_t index) { indices_.push_back(index); }

  /// What is watched in their absence.
  [[nodiscard]] std::vector<int> without(std::vector<int> descriptors) const {
    for (const std::size_t i : indices_)
      descriptors[i] = -1;
    return descriptors;
  }
  /// How long to sleep, of what else it would be. They are watched again afterwards.
  Duration next(Duration nap) {
    if (indices_.empty()) return nap;
    indices_.clear();
    return std::min<Duration>(nap, std::exchange(next_, std::min(2 * next_, kLongest)));
  }

 private:
  static constexpr std::chrono::milliseconds kLongest{64};
  std::chrono::milliseconds next_{1};
  std::vector<std::size_t> indices_;
};

/// Those of the readable descriptors behind which there is something.
std::vector<std::size_t> really_ready(std::vector<std::size_t> readable,
                                      const std::vector<Watched>& all, PartMessages& parts) {
  std::erase_if(readable, [&](std::size_t i) {
    const Watched& watched = all[i];
    if (watched.listener != nullptr) return !watched.listener->settle();
    if (watched.transport == nullptr || watched.transport->settle(watched.descriptor)) return false;
    if (watched.transport->untrusted()) parts.add(i);
    return true;
  });
  return readable;
}

/// Whatever was closed meanwhile.
void check_open(const std::vector<Watched>& all) {
  for (std::size_t i = 0; i != all.size(); ++i) {
    if (all[i].transport != nullptr && all[i].transport->closed()) {
      refuse_closed(i, all.size(), "connection");
    }
    if (all[i].listener != nullptr && all[i].listener->closed()) {
      refuse_closed(i, all.size(), "listener");
    }
  }
}

}  // namespace

std::vector<std::size_t> wait(std::span<const Waitable> waitables, Timeout timeout) {
  const platform::Deadline deadline(timeout);
  std::vector<Watched> all;
  std::vector<int> descriptors;
  for (const Waitable& waitable : waitables) {
    Watched watched;
    if (const auto* const transport = std::get_if<detail::TransportPtr>(&waitable.what_)) {
      if (*transport == nullptr || (*transport)->closed()) {
        refuse_closed(all.size(), waitables.size(), "connection");
      }
      watched.transport = transport->get();
      watched.use = std::make_unique<detail::Transport::Use>(**transport);
      watched.descriptor = watched.use->descriptor();
    } else if (const auto* const listener = std::get_if<detail::ListenerPtr>(&waitable.what_)) {
      if (*listener == nullptr || (*listener)->closed()) {
        refuse_closed(all.size(), waitables.size(), "listener");
      }
      watched.listener = listener->get();
      watched.descriptor = watched.listener->descriptor();
    } else {
      watched.descriptor = std::get<int>(waitable.what_);
      if (watched.descriptor < 0) {
        throw std::invalid_argument(
            "asked to wait for descriptor " + std::to_string(watched.descriptor) + " (index " +
            std::to_string(all.size()) + "), which is none; was it opened, and is it still?");
      }
    }
    descriptors.push_back(watched.descriptor);
    all.push_back(std::move(watched));
  }
  if (all.empty()) return {};
  platform::Backoff backoff(platform::kShortNap);
  PartMessages parts;
  for (bool looked = false;; looked = true) {
    const Timeout left = deadline.left();
    const Duration most = looked ? backoff.next() : Duration(0);
    const std::vector<int> watched = parts.without(descriptors);
    const Duration nap = parts.next(left ? std::min(*left, most) : most);
    // A descriptor is readable where there is a message, and at times where there is none.
    std::vector<std::size_t> ready = really_ready(readable_within(nap, watched, all), all, parts);
    if (!ready.empty() || deadline.passed()) return ready;
    check_open(all);
    if (looked) channel::sweep_broker();
  }
}

}  // namespace procession
