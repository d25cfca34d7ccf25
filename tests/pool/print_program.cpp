// Tasks that print, in a pool that is ended as soon as their results are there:
// `print_program HOW WHERE [METHOD]`.
//
// HOW    map, apply, imap, unordered, executor, then: how the calls are made; timeout: an element
//        of a chunk runs too long; lost: an element of a chunk is killed and run anew; throws: one
//        throws; initializer: what prints runs first in each worker
// WHERE  printf, cout, unsynced (std::cout with a buffer of its own), clog, unsynced_clog, wcout,
//        unsynced_wcout, own (std::cout with a buffer of the program's)
//
// Each task prints "line N" by several calls, but for where each call is a write of its own.

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <thread>
#include <vector>

#include "procession/executor.hpp"
#include "procession/procession.hpp"

namespace mp = procession;

namespace {

constexpr int kTasks = 24;
constexpr int kOdd = 13;  ///< the element to which something happens

/// Keeps what it is given in a place that no other streambuf has, until it is flushed.
class OwnBuffer : public std::streambuf {
 public:
  int_type overflow(int_type letter) override {
    text_ += traits_type::to_char_type(letter);
    return letter;
  }
  int sync() override {
    const bool all = ::write(1, text_.data(), text_.size()) == static_cast<ssize_t>(text_.size());
    text_.clear();
    return all ? 0 : -1;
  }

 private:
  std::string text_;
};

void print(const std::string& where, const std::string& text) {
  if (where == "printf") {
    std::fputs(text.c_str(), stdout);
  } else if (where == "clog" || where == "unsynced_clog") {
    std::clog << text;
  } else if (where == "wcout" || where == "unsynced_wcout") {
    std::wcout << std::wstring(text.begin(), text.end());
  } else {
    std::cout << text;
  }
}

int tell(const std::string& where, int number) {
  const std::string line = "line " + std::to_string(number);
  if (where == "clog") {
    print(where, line + "\n");
  } else {
    print(where, line);
    print(where, "\n");
  }
  return number;
}

int odd(const std::string& how, const std::string& where, const mp::Value<int>& before,
        int number) {
  tell(where, number);
  if (number == kOdd && how == "throws") throw std::runtime_error("odd");
  if (number == kOdd && how == "timeout") std::this_thread::sleep_for(std::chrono::hours(1));
  if (number == kOdd && ++before == 1) std::raise(SIGKILL);
  return number;
}

/// What each process does to its streams before it prints anything.
void prepare(const std::string& where) {
  if (where.starts_with("unsynced")) std::ios::sync_with_stdio(false);
  if (where == "own") std::cout.rdbuf(new OwnBuffer);
}

void set_up(const std::string& where) {
  prepare(where);
  tell(where, static_cast<int>(::getpid()));
}

void run(const std::string& how, const std::string& where, mp::StartMethod method) {
  std::vector<int> numbers(kTasks);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto task = mp::bind(tell, where);
  if (how == "executor") {
    mp::ProcessPoolExecutor executor(
        {.processes = 2, .initializer = mp::bind(prepare, where), .start_method = method});
    std::vector<mp::Future<int>> futures;
    for (const int number : numbers)
      futures.push_back(executor.submit(task, number));
    for (const mp::Future<int>& future : mp::as_completed(futures))
      future.result();
    executor.kill_workers();
    return;
  }
  const bool initializer = how == "initializer";
  mp::Pool pool({.processes = 2,
                 .initializer = initializer ? mp::bind(set_up, where) : mp::bind(prepare, where),
                 .start_method = method});
  const mp::Value<int> before(0);
  const auto odd_task = mp::bind(odd, how, where, before);
  if (how == "map") {
    pool.map(task, numbers);
  } else if (how == "apply") {
    for (const int number : numbers)
      pool.apply(task, number);
  } else if (how == "imap") {
    for ([[maybe_unused]] const int number : pool.imap(task, numbers, {.chunksize = 3})) {
    }
  } else if (how == "unordered") {
    for ([[maybe_unused]] const int number : pool.imap_unordered(task, numbers)) {
    }
  } else if (how == "then") {
    std::atomic<int> ended{0};
    for (const int number : numbers) {
      pool.apply_async(task, number).then([&](int) { ++ended; });
    }
    while (ended != kTasks)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } else if (how == "lost") {
    pool.map(odd_task, numbers, {.chunksize = kTasks, .retries = 1});
  } else if (how == "timeout" || how == "throws") {
    try {
      const mp::Timeout timeout =
          how == "timeout" ? mp::Timeout(std::chrono::milliseconds(200)) : mp::Timeout{};
      pool.map(odd_task, numbers, {.chunksize = kTasks, .timeout = timeout});
    } catch (const std::runtime_error&) {
    }
  } else if (initializer) {
    std::fprintf(stderr, "%d", pool.apply([] { return static_cast<int>(::getpid()); }));
  }
  // Here the pool, which is open, is ended with its workers.
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc < 3) return 2;
  const std::string method = argc > 3 ? argv[3] : "forkserver";
  run(argv[1], argv[2],
      method == "fork"    ? mp::StartMethod::fork
      : method == "spawn" ? mp::StartMethod::spawn
                          : mp::StartMethod::forkserver);
}
