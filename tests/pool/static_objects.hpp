// What static objects do with the library in their constructors, before main(), as the environment
// variable STATIC says, which processes of the program have too.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "procession/procession.hpp"

namespace static_objects {

namespace mp = procession;

inline int square(int x) { return x * x; }

inline std::string chosen() {
  const char* const what = std::getenv("STATIC");
  return what != nullptr ? what : "";
}

template <class F>
void attempt(F run) {
  // A process of this library's runs constructors too; only the program itself is looked at.
  if (std::getenv("PROCESSION_BOOT") != nullptr) return;
  try {
    run();
    std::printf("works\n");
  } catch (const mp::NotInitialized& error) {
    std::printf("NotInitialized: %s\n", error.what());
  } catch (const std::exception& error) {
    std::printf("another: %s\n", error.what());
  }
  std::fflush(stdout);
}

inline void start(mp::StartMethod method) {
  mp::Process process({.start_method = method}, [] {});
  process.start();
  process.join();
}

struct Before {
  std::unique_ptr<mp::ThreadPool> threads;
  std::unique_ptr<mp::Queue<int>> queue;

  Before() {
    const std::string what = chosen();
    if (what == "pool") attempt([] { mp::Pool(2).map(square, {1}); });
    if (what == "executor") attempt([] { mp::ProcessPoolExecutor(1).submit(square, 1).result(); });
    if (what == "manager") attempt([] { mp::Manager(); });
    if (what == "forkserver") attempt([] { start(mp::StartMethod::forkserver); });
    if (what == "spawn") attempt([] { start(mp::StartMethod::spawn); });
    if (what == "fork") attempt([] { start(mp::StartMethod::fork); });
    if (what == "threads") {
      attempt([&] {
        threads = std::make_unique<mp::ThreadPool>(2);
        if (threads->map(square, {2}).at(0) != 4) throw std::logic_error("a wrong result");
      });
    }
    if (what == "queue") {
      attempt([&] {
        queue = std::make_unique<mp::Queue<int>>();
        queue->put(5);
      });
    }
  }
};

/// In main(), after init(): what there is, goes on.
inline void go_on(const Before& before) {
  if (before.threads != nullptr) {
    std::printf("%d\n", before.threads->map(square, {3}).at(0));
  }
  if (before.queue != nullptr) {
    mp::Process process([](const mp::Queue<int>& queue) { queue.put(queue.get() + 1); },
                        *before.queue);
    process.start();
    process.join();
    std::printf("%d\n", before.queue->get());
  }
  std::fflush(stdout);
}

}  // namespace static_objects
