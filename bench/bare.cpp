// The system calls with nothing around them, from a small process: `bare fork`, `bare spawn IMAGE`,
// `bare lock`, `bare lock-contended`, `bare socketpair`, `bare tcp`, `bare tcp-1M`,
// `bare memcpy-1M`, `bare memcpy-16M`.

#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <future>
#include <vector>

#include "bare_network.hpp"
#include "contestant.hpp"

extern "C" char** environ;

namespace {

void wait_for(pid_t child) {
  int status = 0;
  if (child <= 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    std::abort();
  }
}

void fork_and_wait(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(0);
    }
    wait_for(child);
  }
}

contestant::Operation spawn_and_wait(char* image) {
  return [image](std::size_t times) {
    char role[] = "return";
    char* arguments[] = {image, role, nullptr};
    for (std::size_t i = 0; i < times; ++i) {
      pid_t child = 0;
      if (::posix_spawn(&child, image, nullptr, nullptr, arguments, environ) != 0) {
        std::abort();
      }
      wait_for(child);
    }
  };
}

/// A robust mutex that processes share, and what it guards, at the start of a page.
struct Guarded {
  pthread_mutex_t mutex;
  alignas(64) long count;
};

Guarded& make_guarded() {
  void* const memory =
      ::mmap(nullptr, sizeof(Guarded), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t kind;
  if (memory == MAP_FAILED || ::pthread_mutexattr_init(&kind) != 0 ||
      ::pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) != 0 ||
      ::pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) != 0) {
    std::abort();
  }
  auto& guarded = *static_cast<Guarded*>(memory);
  if (::pthread_mutex_init(&guarded.mutex, &kind) != 0) {
    std::abort();
  }
  return guarded;
}

void lock_and_unlock(Guarded& guarded, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    if (::pthread_mutex_lock(&guarded.mutex) != 0) {
      std::abort();
    }
    ++guarded.count;
    ::pthread_mutex_unlock(&guarded.mutex);
  }
}

void lock(std::size_t times) {
  static Guarded& guarded = make_guarded();
  lock_and_unlock(guarded, times);
}

void contended(std::size_t times) {
  static Guarded& guarded = make_guarded();
  static contestant::Rival rival([](std::size_t n) { lock_and_unlock(guarded, n); });
  rival.begin(times);
  lock_and_unlock(guarded, times);
  rival.end();
}

void there_and_back(std::size_t times) {
  static const int end = [] {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
      std::abort();
    }
    if (::fork() == 0) {
      ::close(ends[0]);
      for (std::uint64_t item = 0; ::read(ends[1], &item, sizeof item) == sizeof item;) {
        if (::write(ends[1], &item, sizeof item) != sizeof item) {
          break;
        }
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    return ends[0];
  }();
  for (std::uint64_t i = 0; i < times; ++i) {
    std::uint64_t item = i;
    if (::write(end, &item, sizeof item) != sizeof item ||
        ::read(end, &item, sizeof item) != sizeof item || item != i) {
      std::abort();
    }
  }
}

/// From one place to another of this process, both of which are there.
contestant::Operation copy(std::size_t bytes) {
  return [bytes](std::size_t times) {
    static const std::vector<char> from(bytes, 1);
    static std::vector<char> to(bytes, 2);
    for (std::size_t i = 0; i < times; ++i) {
      std::memcpy(to.data(), from.data(), bytes);
      asm volatile("" : : "r"(to.data()) : "memory");  // somebody may look at it
    }
  };
}

/// A thread for each call.
void call_async(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    if (std::async(std::launch::async, [](int x) { return x * x; }, 3).get() != 9) {
      std::abort();
    }
  }
}

/// Half of the tasks here, half in a child, and nothing in between.
void tasks_10ms(std::size_t times) {
  const auto work = [](std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      contestant::spin_10ms();
    }
  };
  static contestant::Rival rival(work);
  rival.begin(times / 2);
  work(times - times / 2);
  rival.end();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: bare OPERATION [IMAGE]\n";
    return 2;
  }
  return contestant::serve({{"fork", fork_and_wait},
                            {"spawn", spawn_and_wait(argc > 2 ? argv[2] : argv[0])},
                            {"async", call_async},
                            {"tasks-10ms", tasks_10ms},
                            {"lock", lock},
                            {"lock-contended", contended},
                            {"socketpair", there_and_back},
                            {"tcp", tcp_there_and_back},
                            {"tcp-1M", tcp_1m},
                            {"memcpy-1M", copy(std::size_t{1} << 20)},
                            {"memcpy-16M", copy(std::size_t{16} << 20)}},
                           argv[1]);
}
