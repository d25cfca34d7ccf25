#pragma once

#include <signal.h>

#include "process/support.hpp"
#include "procession/connection.hpp"

namespace channel_test {

/// What stays for good is there from now on: the fork server, the descriptor broker of descriptors.
inline void settle_in() {
  process_test::exitcode_of(procession::StartMethod::forkserver, [] {});
  auto [first, second] = procession::Pipe();
  first.send(first);
  (void)second.recv<procession::Connection>();
  // Whoever sees a process killed gives back what others have left that nobody looks after: those
  // that earlier tests forked by themselves.
  process_test::exitcode_of(procession::StartMethod::forkserver, [] { ::raise(SIGKILL); });
}

/// Something that is sent.
struct Point {
  int x = 0;
  double y = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

}  // namespace channel_test
