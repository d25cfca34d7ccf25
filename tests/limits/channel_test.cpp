// Numbers at their limits in queues, those of managers too, connections and listeners.

#include <algorithm>
#include <functional>
#include <limits>
#include <thread>

#include "support.hpp"

namespace limits_test {
namespace {

template <class Q>
std::vector<Row> queue_rows(const std::function<Q(std::size_t)>& make) {
  const auto works = [=](std::size_t maxsize) {
    return [=] {
      const Q queue = make(maxsize);
      queue.put(7);
      return queue.full() == (maxsize == 1) && queue.get() == 7;
    };
  };
  return {
      {"maxsize 0", Comes::works, {}, works(0)},
      {"maxsize 1", Comes::works, {}, works(1)},
      {"maxsize 2^31", Comes::works, {}, works(std::size_t{1} << 31)},
      {"maxsize 2^32-1", Comes::works, {}, works((std::size_t{1} << 32) - 1)},
      {"maxsize 2^32", Comes::works, {}, works(std::size_t{1} << 32)},
      {"maxsize 2^32+1", Comes::works, {}, works((std::size_t{1} << 32) + 1)},
      {"maxsize 2^63", Comes::works, {}, works(std::size_t{1} << 63)},
      {"maxsize 2^64-1", Comes::works, {}, works(kMost)},
  };
}

TEST(ChannelLimits, Queues) {
  const mp::Manager manager;
  run(queue_rows<mp::Queue<int>>([](std::size_t n) { return mp::Queue<int>(n); }));
  run(queue_rows<mp::JoinableQueue<int>>([](std::size_t n) { return mp::JoinableQueue<int>(n); }));
  run(queue_rows<mp::QueueProxy<int>>([&](std::size_t n) { return manager.queue<int>(n); }));
  const auto get = [](std::size_t most) {
    return [most] {
      const mp::Queue<int> queue;
      queue.put_many({1, 2, 3});
      return queue.get_many(most).size() == std::min<std::size_t>(most, 3);
    };
  };
  run({
      {"get_many(0)", Comes::works, {}, get(0)},
      {"get_many(1)", Comes::works, {}, get(1)},
      {"get_many(2^32)", Comes::works, {}, get(std::size_t{1} << 32)},
      {"get_many(2^63)", Comes::works, {}, get(std::size_t{1} << 63)},
      {"get_many(2^64-1)", Comes::works, {}, get(kMost)},
      {"put_many of none",
       Comes::works,
       {},
       [] {
         const mp::Queue<int> queue;
         queue.put_many(std::vector<int>());
         return queue.empty();
       }},
  });
}

std::pair<mp::Connection, mp::Connection> socket_pair(std::uint64_t max_frame) {
  mp::Listener listener(mp::Address{"127.0.0.1", 0}, {.max_frame = max_frame});
  mp::Connection client;
  std::thread connect([&] { client = mp::Client(listener.address()); });
  mp::Connection accepted = listener.accept();
  connect.join();
  return {std::move(accepted), std::move(client)};
}

std::vector<Row> receive_rows(
    const std::function<std::pair<mp::Connection, mp::Connection>()>& make) {
  const auto receive = [=](std::size_t size, std::optional<std::size_t> most) {
    return [=] {
      const auto [in, out] = make();
      out.send_bytes(std::vector<std::byte>(size));
      try {
        return in.recv_bytes(most).size() == size;
      } catch (const mp::BufferTooShort&) {
        return most && size > *most;
      }
    };
  };
  const auto receive_into = [=](std::size_t size, std::size_t room) {
    return [=] {
      const auto [in, out] = make();
      out.send_bytes(std::vector<std::byte>(size));
      std::vector<std::byte> into(room);
      try {
        return in.recv_bytes_into(into) == size && size <= room;
      } catch (const mp::BufferTooShort& error) {
        return size > room && error.message().size() == size;
      }
    };
  };
  return {
      {"recv_bytes(0) of 0", Comes::works, {}, receive(0, 0)},
      {"recv_bytes(0) of 1", Comes::works, {}, receive(1, 0)},
      {"recv_bytes(2^64-1)", Comes::works, {}, receive(5, kMost)},
      {"recv_bytes(2^63)", Comes::works, {}, receive(5, std::size_t{1} << 63)},
      {"recv_bytes() of 64 KiB", Comes::works, {}, receive(64U << 10, {})},
      {"recv_bytes_into(empty) of 0", Comes::works, {}, receive_into(0, 0)},
      {"recv_bytes_into(empty) of 1", Comes::works, {}, receive_into(1, 0)},
      {"recv_bytes_into(empty) of 5 MiB",
       Comes::works,
       {},
       [=] {
         // More than a pipe keeps is sent as it is received.
         const auto [in, out] = make();
         std::thread sender([&to = out] { to.send_bytes(std::vector<std::byte>(5U << 20)); });
         bool told = false;
         try {
           in.recv_bytes_into({});
         } catch (const mp::BufferTooShort& error) {
           told = error.message().size() == 5U << 20;
         }
         sender.join();
         return told;
       }},
      {"recv_bytes_into(1) of 1", Comes::works, {}, receive_into(1, 1)},
  };
}

mp::ListenerOptions listener_options(int backlog, std::uint64_t max_frame, std::size_t handshakes) {
  return {.backlog = backlog, .max_frame = max_frame, .max_handshakes = handshakes};
}

TEST(ChannelLimits, Connections) {
  run(receive_rows([] { return mp::Pipe(); }));
  run(receive_rows([] { return socket_pair(std::numeric_limits<std::uint64_t>::max()); }));
  const auto listen = [](int backlog, std::uint64_t max_frame, std::size_t handshakes) {
    return [=] {
      return mp::Listener(mp::Address{"127.0.0.1", 0},
                          listener_options(backlog, max_frame, handshakes))
                 .address()
                 .port != 0;
    };
  };
  run({
      {"backlog -1", Comes::invalid, {"backlog of -1"}, listen(-1, 1, 1)},
      {"backlog least",
       Comes::invalid,
       {"backlog of -2147483648"},
       listen(std::numeric_limits<int>::min(), 1, 1)},
      {"backlog 0", Comes::works, {}, listen(0, 1, 1)},
      {"backlog most", Comes::works, {}, listen(std::numeric_limits<int>::max(), 1, 1)},
      {"max_handshakes 0", Comes::invalid, {"0 handshakes"}, listen(1, 1, 0)},
      {"max_handshakes most", Comes::works, {}, listen(1, 1, kMost)},
      {"max_frame most", Comes::works, {}, listen(1, ~std::uint64_t{0}, 1)},
      {"max_frame 0 and an empty message",
       Comes::works,
       {},
       [] {
         const auto [in, out] = socket_pair(0);
         out.send_bytes({});
         return in.recv_bytes().empty();
       }},
      {"port 65535 that nobody has",
       Comes::refused,
       {"65535"},
       [] {
         return mp::Client(mp::Address{"127.0.0.1", 65535}, {.timeout = std::chrono::seconds(5)})
             .closed();
       }},
      {"wait for descriptor -1", Comes::invalid, {"-1"}, [] { return mp::wait({-1}).empty(); }},
      {"wait for nothing",
       Comes::works,
       {},
       [] { return mp::wait(std::vector<mp::Waitable>()).empty(); }},
      {"wait for one connection 200,000 times",
       Comes::works,
       {},
       [] {
         const auto [in, out] = mp::Pipe();
         out.send(1);
         return mp::wait(std::vector<mp::Waitable>(200'000, in)).size() == 200'000;
       }},
  });
}

}  // namespace
}  // namespace limits_test
