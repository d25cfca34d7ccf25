#pragma once

#include <functional>
#include <thread>

namespace procession::process {

/// Starts a thread of the library's own, which runs `run` to the end of this process, hears of no
/// signal, and is safe to fork beside. It has begun when this returns. Throws std::system_error.
std::thread::id start_own_thread(std::function<void()> run);

}  // namespace procession::process
