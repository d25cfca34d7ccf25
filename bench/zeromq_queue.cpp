// ZeroMQ's side: `zeromq_queue queue`, 8-byte messages by push and pull over ipc://.

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "contestant.hpp"

namespace {

/// An abstract address: nothing is left in the file system.
std::string address(const char* what) {
  return std::string("ipc://@bench_") + what + "_" + std::to_string(::getpid());
}

void check(bool good) {
  if (!good) {
    std::abort();
  }
}

struct Socket {
  explicit Socket(void* context, int type) : it(::zmq_socket(context, type)) {}
  void send(std::uint64_t value) { check(::zmq_send(it, &value, sizeof value, 0) == sizeof value); }
  std::uint64_t receive() {
    std::uint64_t value = 0;
    check(::zmq_recv(it, &value, sizeof value, 0) == sizeof value);
    return value;
  }
  void* it;
};

[[noreturn]] void produce(const std::string& items, const std::string& orders) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  void* const context = ::zmq_ctx_new();
  Socket in(context, ZMQ_PULL);
  Socket out(context, ZMQ_PUSH);
  check(::zmq_connect(in.it, orders.c_str()) == 0 && ::zmq_connect(out.it, items.c_str()) == 0);
  for (;;) {
    const std::uint64_t times = in.receive();
    for (std::uint64_t i = 0; i < times; ++i)
      out.send(i);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string items = address("items");
  const std::string orders = address("orders");
  if (::fork() == 0) {
    produce(items, orders);
  }
  void* const context = ::zmq_ctx_new();
  Socket in(context, ZMQ_PULL);
  Socket out(context, ZMQ_PUSH);
  check(::zmq_bind(in.it, items.c_str()) == 0 && ::zmq_bind(out.it, orders.c_str()) == 0);
  const auto consume = [&](std::size_t times) {
    out.send(times);
    for (std::uint64_t i = 0; i < times; ++i)
      check(in.receive() == i);
  };
  return contestant::serve({{"queue", consume}}, argc > 1 ? argv[1] : "");
}
