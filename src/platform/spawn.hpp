#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

namespace procession::platform {

/// Executes this program's own image in a new process, with standard input, output and error as
/// here and, from descriptor 3 on, copies of `descriptors` in their order; no other descriptor is
/// open there. No signal is blocked in it. `variables` ("NAME=value") are added to its environment,
/// in place of its own of those names; `role` is what it is called in process lists. Returns the
/// process id. Throws `ProcessError`.
int execute_self(std::span<const int> descriptors, std::span<const std::string> variables,
                 const char* role);

/// Whether `clone_sibling` works here: the kernel tells where glibc keeps the thread id, and no
/// other thread runs that could hold a lock which the copy would then wait for.
bool can_clone_sibling();

/// Copies this process like fork(), but as a child of this one's own parent, which can then wait
/// for it. Returns its process id, 0 in the copy, or a negated error code. The kernel puts the id
/// into `told` too, before the copy's first instruction. Only when `can_clone_sibling()`.
int clone_sibling(std::atomic<std::int32_t>* told = nullptr);

/// fork(), with its handlers. Returns the process id, or 0 in the child. Throws `ProcessError`.
int fork_process();

/// Ends this process at once: no destructor, no atexit handler. What C and C++ streams hold is
/// written before.
[[noreturn]] void exit_flushed(int code);
/// The same without writing anything.
[[noreturn]] void exit_now(int code);

int process_id();
/// The kernel's number of the calling thread.
int thread_id();
/// How many threads this process has.
unsigned thread_count();

}  // namespace procession::platform
