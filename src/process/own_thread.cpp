#include "process/own_thread.hpp"

#include <cstddef>
#include <latch>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "log/log.hpp"
#include "platform/signals.hpp"
#include "platform/system_error.hpp"
#include "process/after_fork.hpp"
#include "process/log_delivery.hpp"

namespace procession::process {

namespace {

/// AddressSanitizer's allocator, unlike glibc's, is copied by a fork with the locks that other
/// threads hold. A thread holds them for long when it asks for memory of a size for the first time.
void ask_for_memory() {
#if defined(__SANITIZE_ADDRESS__)
  constexpr std::size_t kMost = 4096;
  for (std::size_t size = 1; size < kMost; size += 16) {
    void* volatile memory = ::operator new(size);
    ::operator delete(memory);
  }
#endif
}

thread_local constinit bool own_thread = false;

}  // namespace

bool on_own_thread() noexcept { return own_thread; }
void forget_own_thread() noexcept { own_thread = false; }

std::thread::id start_own_thread(std::function<void()> run, Records records) {
  add_own_threads(1);
  auto begun = std::make_shared<std::latch>(1);
  try {
    std::thread thread([begun, records, run = std::move(run)]() mutable {
      own_thread = true;
      if (records == Records::elsewhere) log::deliver_by(deliver_later);
      platform::block_signals();
      ask_for_memory();
      begun->count_down();
      begun.reset();
      run();
      run = nullptr;
      add_own_threads(-1);
    });
    const std::thread::id id = thread.get_id();
    thread.detach();
    begun->wait();
    return id;
  } catch (const std::system_error& failure) {
    add_own_threads(-1);
    platform::throw_system_error("start one of the library's own threads", failure.code().value());
  } catch (...) {
    add_own_threads(-1);
    throw;
  }
}

}  // namespace procession::process
