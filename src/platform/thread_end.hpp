#pragma once

namespace procession::platform {

/// Calls `run(object)` when this thread ends, behind the destructors of its thread_local objects. A
/// thread_local object with a destructor is no choice for what the library's threads and workers
/// come by: to announce it takes the dynamic loader's lock, which a thread has that runs the
/// constructors of a library in dlopen(), and one of those may wait for just this thread. For the
/// main thread it is not called, nor where there is no memory for it: what it was to give back ends
/// with the process.
void at_thread_end(void (*run)(void* object) noexcept, void* object) noexcept;

}  // namespace procession::platform
