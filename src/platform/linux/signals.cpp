#include <pthread.h>
#include <signal.h>

#include "platform/signals.hpp"

namespace procession::platform {

namespace {
struct sigaction action_found{};
bool changed = false;
thread_local sigset_t mask_found{};
thread_local bool blocked_here = false;
}  // namespace

void ignore_interrupts() {
  if (::sigaction(SIGINT, nullptr, &action_found) != 0 || action_found.sa_handler == SIG_IGN) {
    return;
  }
  struct sigaction action{};
  // Not SIG_IGN, which execve() would keep.
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  changed = ::sigaction(SIGINT, &action, &action_found) == 0;
}

void restore_interrupts() {
  if (changed) {
    ::sigaction(SIGINT, &action_found, nullptr);
    changed = false;
  }
}

void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  blocked_here = ::pthread_sigmask(SIG_SETMASK, &all, &mask_found) == 0;
}

void restore_signals() {
  if (blocked_here) {
    ::pthread_sigmask(SIG_SETMASK, &mask_found, nullptr);
    blocked_here = false;
  }
}

}  // namespace procession::platform
