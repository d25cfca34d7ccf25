#pragma once

#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "heap/heap.hpp"
#include "platform/descriptor.hpp"
#include "procession/timeout.hpp"

namespace procession::process {

/// This process's fork server: a child that executed this program's image, went no further than
/// init(), and copies itself on request. The copies are children of *this* process (see
/// `platform::clone_sibling`), so exit codes and waiting need no help from it. Started by the first
/// request, started anew when it was killed. Thread-safe.
class ForkServer {
 public:
  static ForkServer& instance();

  /// A record for which a child is to be made, and descriptors that it is to be given.
  struct Wanted {
    heap::HoldId record = 0;
    std::span<const platform::Descriptor> passed;
  };

  /// What came of it: a child's process id, or why there is none.
  struct Started {
    int pid = 0;
    std::exception_ptr failure;
  };

  /// Makes a child for each; they come to be side by side. A failure is a `ProcessError`.
  /// Where the kernel or another thread in the server makes copies unsafe, they are spawned.
  std::vector<Started> start(std::span<const Wanted> wanted);

  /// Stops the servers, if there are any, and waits for their end; kills those that are left when
  /// the grace is over. Static, so that a process that never had one need not make this object to
  /// end.
  static void stop(Duration grace) noexcept;

  /// Runs in each server from the next start on. Stops a server that runs already.
  void set_preload(heap::Block encoded_call, std::size_t size);

  /// In the child of a fork: forgets the server, which is the parent's.
  void forget() noexcept;
  void lock_for_fork();
  void unlock_for_fork() noexcept;

 private:
  ForkServer();
  struct State;
  std::unique_ptr<State> state_;
};

/// The server's side: serves until its client has gone. `socket` is its end of the socket pair.
[[noreturn]] void serve_forks(heap::Offset record, platform::Descriptor watched,
                              platform::Descriptor socket);

/// Executes this program's image for one child that runs `record` and is given `passed`; returns
/// its process id. Throws `ProcessError`.
int spawn_child(heap::Offset record, std::span<const platform::Descriptor> passed);

}  // namespace procession::process
