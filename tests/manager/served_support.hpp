#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "channel/listener_support.hpp"
#include "manager/support.hpp"
#include "platform/descriptor.hpp"
#include "platform/stream_socket.hpp"
#include "procession/manager_server.hpp"

// Servers for other programs in the process of a test, and networks that fail.
namespace manager_test {

/// Knows how many of them there are in this process.
class Counted {
 public:
  explicit Counted(int value = 0) : value_(value) { ++alive; }
  Counted(const Counted& other) : value_(other.value_) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }

  int add(int n) { return value_ += n; }

  static inline std::atomic<int> alive{0};

 private:
  int value_;
};

/// A server with lists, queues and `Counted`s, in a thread of this process.
class Serving {
 public:
  explicit Serving(const mp::Address& address = {"127.0.0.1", 0}, mp::ListenerOptions options = {})
      : server_(address, key(), std::move(options)) {
    server_.register_type<mp::ListProxy<int>>("Numbers");
    server_.register_type<mp::ValueProxy<int>>("Number");
    server_.register_type<mp::ValueProxy<double>>("Real");
    server_.register_type<mp::ValueProxy<std::string>>("Text");
    server_.register_type<Counted>("Counted", mp::constructor<int>(),
                                   mp::method<&Counted::add>("add"));
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    server_.shutdown();
    if (thread_.joinable()) thread_.join();
  }

  void start() {
    thread_ = std::thread([this] {
      server_.serve_forever();
      returned_ = true;
    });
  }
  [[nodiscard]] bool returned() const { return returned_; }

  [[nodiscard]] mp::ManagerServer& operator*() { return server_; }
  [[nodiscard]] mp::ManagerServer* operator->() { return &server_; }
  [[nodiscard]] mp::Address address() const { return server_.address(); }

  static mp::AuthKey key() { return channel_test::key_of("secret"); }
  [[nodiscard]] mp::Manager connect(mp::ClientOptions options = {}) const {
    return mp::Manager::connect(address(), key(), std::move(options));
  }

 private:
  mp::ManagerServer server_;
  std::thread thread_;
  std::atomic<bool> returned_{false};
};

/// What lies between a client and its server, and can be cut.
class Cable {
 public:
  explicit Cable(mp::Address server)
      : server_(std::move(server)),
        listener_(mp::platform::listen_stream({"127.0.0.1", 0}, 64)),
        thread_([this] { accept_all(); }) {}
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;
  ~Cable() {
    ended_ = true;
    thread_.join();
    cut_from(0);
    for (Line& line : lines_)
      line.thread.join();
  }

  [[nodiscard]] mp::Address address() const { return mp::platform::local_address(listener_.get()); }
  /// How many connections there were so far.
  [[nodiscard]] std::size_t count() {
    const std::lock_guard guard(mutex_);
    return lines_.size();
  }
  /// Ends that connection, in the order of their expected, and those that came later.
  void cut_from(std::size_t first) {
    const std::lock_guard guard(mutex_);
    for (Line& line : lines_) {
      if (first != 0) {
        --first;
        continue;
      }
      ::shutdown(line.client.get(), SHUT_RDWR);
      ::shutdown(line.server.get(), SHUT_RDWR);
    }
  }

 private:
  struct Line {
    mp::platform::Descriptor client;
    mp::platform::Descriptor server;
    std::thread thread{};
  };

  void accept_all() {
    while (!ended_) {
      pollfd entry{listener_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 10) <= 0) continue;
      mp::platform::AcceptedStream accepted = mp::platform::accept_stream(listener_.get());
      if (!accepted.socket) continue;
      mp::platform::Descriptor server =
          mp::platform::connect_stream(server_, mp::platform::Deadline(std::nullopt));
      const std::lock_guard guard(mutex_);
      Line& line = lines_.emplace_back(Line{std::move(accepted.socket), std::move(server)});
      line.thread = std::thread([&line] { carry(line); });
    }
  }

  static void carry(const Line& line) {
    const std::array<int, 2> ends{line.client.get(), line.server.get()};
    for (;;) {
      std::array<pollfd, 2> entries{{{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}}};
      ::poll(entries.data(), entries.size(), -1);
      for (std::size_t i = 0; i != 2; ++i) {
        if (entries[i].revents != 0 && !carry_some(ends[i], ends[1 - i])) return;
      }
    }
  }
  static bool carry_some(int from, int to) {
    std::array<char, 4096> bytes;
    const ssize_t got = ::recv(from, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) {
      ::shutdown(to, SHUT_RDWR);
      return false;
    }
    for (ssize_t sent = 0; sent < got;) {
      pollfd entry{to, POLLOUT, 0};
      ::poll(&entry, 1, -1);
      const ssize_t now =
          ::send(to, bytes.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (now < 0 && errno != EAGAIN) return false;
      sent += std::max<ssize_t>(now, 0);
    }
    return true;
  }

  const mp::Address server_;
  mp::platform::Descriptor listener_;
  std::mutex mutex_;
  std::list<Line> lines_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace manager_test
