#pragma once

#include <functional>
#include <thread>

namespace procession::process {

/// Where the records of such a thread are delivered: by the thread for that (log_delivery.hpp), or
/// by itself.
enum class Records { elsewhere, here };

/// Starts a thread of the library's own, which calls `run`, hears of no signal, and is safe to fork
/// beside. It has begun when this returns. Throws `ProcessError`, with the limit in its text, when
/// no more threads can be made.
std::thread::id start_own_thread(std::function<void()> run, Records records = Records::elsewhere);

/// Whether this is such a thread.
[[nodiscard]] bool on_own_thread() noexcept;
/// In the child of a fork, whose only thread it is not any more.
void forget_own_thread() noexcept;

}  // namespace procession::process
