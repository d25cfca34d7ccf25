#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>

/// One side of a comparison, driven by bench/run: reads how many operations to do, one number a
/// line, does them, and answers with one line for each: nanoseconds passed, nanoseconds of
/// processor time of this process and of its children that ended, page faults of both.
namespace contestant {

using Operation = std::function<void(std::size_t times)>;

struct Use {
  long long nanoseconds;
  long faults;
};

inline Use used(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto part = [](const timeval& time) {
    return static_cast<long long>(time.tv_sec) * 1'000'000'000 +
           static_cast<long long>(time.tv_usec) * 1'000;
  };
  return {part(usage.ru_utime) + part(usage.ru_stime), usage.ru_minflt};
}

inline void measure(const Operation& operation, std::size_t times) {
  const Use self = used(RUSAGE_SELF);
  const Use children = used(RUSAGE_CHILDREN);
  const auto begin = std::chrono::steady_clock::now();
  operation(times);
  const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - begin;
  const Use self_then = used(RUSAGE_SELF);
  const Use children_then = used(RUSAGE_CHILDREN);
  std::printf("%lld %lld %lld %ld %ld\n", static_cast<long long>(passed.count()),
              self_then.nanoseconds - self.nanoseconds,
              children_then.nanoseconds - children.nanoseconds, self_then.faults - self.faults,
              children_then.faults - children.faults);
  std::fflush(stdout);
}

/// A task of 10 ms.
inline int spin_10ms() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
  int rounds = 0;
  while (std::chrono::steady_clock::now() < end) {
    ++rounds;
  }
  return rounds;
}

/// A child that does the same work at the same time, whenever it is told to. It ends with its
/// parent.
class Rival {
 public:
  explicit Rival(const std::function<void(std::size_t)>& work) {
    int to[2], from[2];
    if (::pipe(to) != 0 || ::pipe(from) != 0) {
      std::abort();
    }
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(to[1]);
      for (std::size_t times = 0; ::read(to[0], &times, sizeof times) == sizeof times;) {
        work(times);
        if (::write(from[1], "", 1) != 1) {
          break;
        }
      }
      ::_exit(0);
    }
    if (child < 0) {
      std::abort();
    }
    to_ = to[1];
    from_ = from[0];
  }

  void begin(std::size_t times) const {
    if (::write(to_, &times, sizeof times) != sizeof times) {
      std::abort();
    }
  }
  /// Waits until it has done that.
  void end() const {
    char done = 0;
    if (::read(from_, &done, 1) != 1) {
      std::abort();
    }
  }

 private:
  int to_;
  int from_;
};

/// Serves until the end of the input. The exit code of the program.
inline int serve(const std::map<std::string, Operation>& operations, const char* name) {
  const auto found = operations.find(name);
  if (found == operations.end()) {
    std::cerr << "there is no operation '" << name << "'\n";
    return 2;
  }
  for (std::size_t times = 0; std::cin >> times;) {
    measure(found->second, times);
  }
  return 0;
}

}  // namespace contestant
