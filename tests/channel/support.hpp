#pragma once

#include "process/support.hpp"
#include "procession/connection.hpp"

namespace channel_test {

/// What stays for good is there from now on: the fork server, the depot of descriptors.
inline void settle_in() {
  process_test::exitcode_of(procession::StartMethod::forkserver, [] {});
  auto [first, second] = procession::Pipe();
  first.send(first);
  (void)second.recv<procession::Connection>();
}

}  // namespace channel_test
