// Boost.Interprocess's side: `boost_queue queue`, a message_queue of 8-byte elements.

#include <boost/interprocess/ipc/message_queue.hpp>

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "contestant.hpp"

namespace {

namespace ipc = boost::interprocess;

constexpr std::size_t kMostMessages = 1024;

/// Two queues under names that nobody else has; the orders say how many items to put.
struct Queues {
  std::string names[2] = {"bench_items_" + std::to_string(::getpid()),
                          "bench_orders_" + std::to_string(::getpid())};
  ipc::message_queue items{ipc::create_only, names[0].c_str(), kMostMessages,
                           sizeof(std::uint64_t)};
  ipc::message_queue orders{ipc::create_only, names[1].c_str(), 1, sizeof(std::uint64_t)};

  ~Queues() {
    for (const std::string& name : names)
      ipc::message_queue::remove(name.c_str());
  }
};

std::uint64_t receive(ipc::message_queue& queue) {
  std::uint64_t value = 0;
  std::size_t size = 0;
  unsigned priority = 0;
  queue.receive(&value, sizeof value, size, priority);
  return value;
}

[[noreturn]] void produce(Queues& queues) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    const std::uint64_t times = receive(queues.orders);
    for (std::uint64_t i = 0; i < times; ++i)
      queues.items.send(&i, sizeof i, 0);
  }
}

void consume(Queues& queues, std::uint64_t times) {
  queues.orders.send(&times, sizeof times, 0);
  for (std::uint64_t i = 0; i < times; ++i) {
    if (receive(queues.items) != i) {
      std::abort();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Queues queues;
  if (::fork() == 0) {
    produce(queues);
  }
  return contestant::serve({{"queue", [&queues](std::size_t times) { consume(queues, times); }}},
                           argc > 1 ? argv[1] : "");
}
