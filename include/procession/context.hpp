#pragma once

#include <utility>
#include <vector>

#include "procession/callable.hpp"

namespace procession {

/// How a process comes to be.
///
/// A child by `forkserver` has its parent's standard descriptors, working directory, root folder,
/// users and groups, resource limits, processors (the main thread's) and niceness as they are when
/// it starts; the first start after one of the latter has changed takes longer. In a root that the
/// program changed to, children by `forkserver` and `spawn` need /proc and the program's libraries.
/// All else that a process inherits, the environment, umask, capabilities, namespaces and control
/// group, it has from the fork server, as it was when that was started, by the first child. A
/// program that changes these does so before it starts its first child, or starts children by
/// `spawn` or `fork`.
enum class StartMethod {
  forkserver,  ///< copied from a small, idle server process that runs this program's image: fast
               ///< and clean
  spawn,       ///< this program's image executed anew for each process: slowest, cleanest
  fork,  ///< a copy of this process with all its memory: inherits everything, unsafe beside running
         ///< threads
  thread,  ///< no process at all: a thread of this one, for tests and for comparison; nothing is
           ///< isolated
};

/// All of them, the default one first. Python: `multiprocessing.get_all_start_methods()`.
std::vector<StartMethod> get_all_start_methods();

/// The method by which a `Process` or `Pool` starts that names none itself. Thread-safe.
/// Python: `multiprocessing.get_start_method()`.
StartMethod get_start_method();

/// Chooses that method, once in a program: a second call throws `ProcessError` unless `force` is
/// set, and `std::invalid_argument` for a number that names none. Thread-safe. Children inherit it.
/// Python: `multiprocessing.set_start_method()`.
void set_start_method(StartMethod method, bool force = false);

namespace detail {
/// The method. Throws std::invalid_argument for a number that names none.
StartMethod checked_method(StartMethod method);
}  // namespace detail

/// The method's name as Python spells it ("thread" has none there).
const char* to_string(StartMethod method);

/// `preload` will run once in each fork server of this process, before any child is copied from it,
/// so that what it loads and warms up is there already in every child. It must not leave a thread
/// running (children are then started by `spawn`). What it throws is reported by the next
/// `Process::start`. A fork server that runs already is replaced. Throws `std::invalid_argument`
/// when the callable captured an address of this process. Thread-safe. Python:
/// `multiprocessing.set_forkserver_preload()`, which takes module names.
void set_forkserver_preload(const Function<void()>& preload);

}  // namespace procession
