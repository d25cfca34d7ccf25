// A program that ends with status 2 while a thread waits in the library: `exit_program CALL HOW`.
//
// HOW: exit (std::exit in main), return (of main, behind the pool's end), static (the pool is one).

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "procession/procession.hpp"

namespace mp = procession;
using namespace std::chrono_literals;

namespace {

int wait_for_ever(const mp::Semaphore& began, int x) {
  began.release();
  std::this_thread::sleep_for(std::chrono::hours(1));
  return x;
}

struct Slow {
  int wait(const mp::Semaphore& began) { return wait_for_ever(began, 1); }
};

void call(const std::string& how, mp::Pool& pool, const mp::Semaphore& began) {
  const auto task = mp::bind(wait_for_ever, began);
  if (how == "map") {
    pool.map(task, {1, 2});
  } else if (how == "apply") {
    pool.apply(task, 1);
  } else if (how == "wait") {
    const auto result = pool.apply_async(task, 1);
    result.wait();
    result.get();
  } else if (how == "imap") {
    for (const int y : pool.imap(task, {1, 2})) {
      std::printf("%d\n", y);
    }
  } else if (how == "executor") {
    // Its end would wait for the call.
    static auto& executor = *new mp::ProcessPoolExecutor(1);
    executor.submit(task, 1).result();
  } else if (how == "submit_again") {
    // It is ended before the end of the process is known.
    static mp::ProcessPoolExecutor executor(1);
    for (;;) {
      try {
        const auto future = executor.submit([] { std::this_thread::sleep_for(1ms); });
        began.release();
        future.result();
      } catch (const mp::Cancelled&) {
      }
    }
  } else if (how == "as_completed") {
    // Its end would wait for the call.
    static auto& executor = *new mp::ProcessPoolExecutor(1);
    std::vector<mp::Future<int>> futures{executor.submit(task, 1)};
    for (const auto& one : mp::as_completed(futures)) {
      std::printf("%d\n", one.result());
    }
  } else if (how == "manager") {
    static mp::Manager manager;
    static auto slow = manager.create<Slow>();
    slow.call<&Slow::wait>(began);
  } else if (how == "join") {
    mp::Process process({.daemon = true}, wait_for_ever, began, 1);
    process.start();
    process.join();
    for (;;)
      std::this_thread::sleep_for(1h);
  } else if (how == "queue") {
    const mp::Queue<int> queue;
    began.release();
    queue.get();
  } else if (how == "pipe") {
    auto [mine, its] = mp::Pipe();
    mp::Process process(
        {.daemon = true},
        [](const mp::Connection&, const mp::Semaphore& b) { wait_for_ever(b, 1); }, its, began);
    process.start();
    its.close();
    mine.recv<int>();
  }
}

int run(const std::string& what, const std::string& how, mp::Pool& pool) {
  static const mp::Semaphore began(0);
  std::thread([&pool, what] { call(what, pool, began); }).detach();
  began.acquire();
  std::this_thread::sleep_for(50ms);  // it waits by now
  if (how == "exit") std::exit(2);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 3) return 3;
  const std::string how = argv[2];
  if (how == "static") {
    static mp::Pool pool(2);
    return run(argv[1], how, pool);
  }
  mp::Pool pool(2);
  return run(argv[1], how, pool);
}
