#include <pthread.h>
#include <signal.h>

#include "platform/signals.hpp"

namespace procession::platform {

namespace {
struct sigaction found{};
bool changed = false;
}  // namespace

void ignore_interrupts() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  changed = ::sigaction(SIGINT, &ignore, &found) == 0;
}

void restore_interrupts() {
  if (changed) {
    ::sigaction(SIGINT, &found, nullptr);
    changed = false;
  }
}

void unblock_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace procession::platform
