#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "platform/poller.hpp"
#include "platform/system_error.hpp"

namespace procession::platform {

namespace {

void control(int set, int what, int descriptor, std::uint64_t tag, Poller::For purpose) {
  epoll_event event{};
  event.events = purpose == Poller::For::reading ? EPOLLIN : EPOLLOUT;
  event.data.u64 = tag;
  if (::epoll_ctl(set, what, descriptor, &event) != 0) throw_system_error("watch a descriptor");
}

/// In milliseconds, rounded up; -1: for ever.
int span_of(const Timeout& left) {
  if (!left) return -1;
  return static_cast<int>(std::min<Duration::rep>(
      INT_MAX, std::chrono::ceil<std::chrono::milliseconds>(*left).count()));
}

}  // namespace

Poller::Poller() {
  const int made = ::epoll_create1(EPOLL_CLOEXEC);
  if (made < 0) throw_system_error("make a set of watched descriptors");
  set_ = clear_of_standard(Descriptor(made));
}

void Poller::add(int descriptor, std::uint64_t tag, For what) {
  control(set_.get(), EPOLL_CTL_ADD, descriptor, tag, what);
}

void Poller::change(int descriptor, std::uint64_t tag, For what) {
  control(set_.get(), EPOLL_CTL_MOD, descriptor, tag, what);
}

void Poller::remove(int descriptor) noexcept {
  epoll_event unused{};
  static_cast<void>(::epoll_ctl(set_.get(), EPOLL_CTL_DEL, descriptor, &unused));
}

std::size_t Poller::wait(std::span<std::uint64_t> tags, const Deadline& deadline) const {
  std::array<epoll_event, 64> events;
  const int most = static_cast<int>(std::min(events.size(), tags.size()));
  for (;;) {
    const int ready = ::epoll_wait(set_.get(), events.data(), most, span_of(deadline.left()));
    if (ready < 0 && errno != EINTR) throw_system_error("wait for descriptors");
    if (ready > 0) {
      const auto count = static_cast<std::size_t>(ready);
      for (std::size_t i = 0; i != count; ++i)
        tags[i] = events[i].data.u64;
      return count;
    }
    if (ready == 0 && deadline.passed()) return 0;
  }
}

}  // namespace procession::platform
