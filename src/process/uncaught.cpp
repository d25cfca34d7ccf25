#include "process/uncaught.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <thread>

#include "platform/spawn.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {

/// How long an uncaught end of others waits for the end of the process to begin: as long as the
/// destructors of main()'s objects may take.
constexpr std::chrono::seconds kGracePeriod{5};
constexpr std::chrono::milliseconds kLook{5};

constinit std::atomic<int> ending_thread{0};  // 0: the end has not begun
constinit std::atomic<std::terminate_handler> handler_before{nullptr};
constinit thread_local bool told_of_end = false;

/// Whether the exception is one, or was caused by one, that E describes.
template <class E>
bool is_caused_by(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const E&) {
    return true;
  } catch (const std::exception& other) {
    try {
      std::rethrow_if_nested(other);
    } catch (...) {
      return is_caused_by<E>(std::current_exception());
    }
  } catch (...) {
    // It is no exception of this library's.
  }
  return false;
}

/// Whether it tells of the end of a pool, a manager or another process.
bool is_end_of_others(const std::exception_ptr& failure) noexcept {
  return is_caused_by<Cancelled>(failure) || is_caused_by<EndOfFile>(failure) ||
         is_caused_by<BrokenPipe>(failure) || is_caused_by<ConnectionLost>(failure) ||
         is_caused_by<WorkerLost>(failure);
}

bool ends_elsewhere() noexcept {
  const int thread = ending_thread.load();
  return thread != 0 && thread != platform::thread_id();
}

bool waits_for_end(const std::exception_ptr& failure) noexcept {
  if (failure == nullptr) {
    return false;
  }
  // The main thread, which is here, ends the process by no return.
  const bool main = platform::thread_id() == platform::process_id();
  if (!main && ending_thread == 0 && (told_of_end || is_end_of_others(failure))) {
    const auto last = std::chrono::steady_clock::now() + kGracePeriod;
    while (ending_thread == 0 && std::chrono::steady_clock::now() < last) {
      std::this_thread::sleep_for(kLook);
    }
  }
  return ends_elsewhere() && is_caused_by<ProcessError>(failure);
}

[[noreturn]] void on_terminate() {
  if (waits_for_end(std::current_exception())) {
    for (;;) {
      std::this_thread::sleep_for(std::chrono::hours(1));
    }
  }
  if (const std::terminate_handler before = handler_before) {
    before();
  }
  std::abort();
}

}  // namespace

void survive_uncaught_ends() noexcept {
  const std::terminate_handler before = std::get_terminate();
  if (before != on_terminate) {
    handler_before = before;
    std::set_terminate(on_terminate);
  }
}

void note_told_of_end() noexcept { told_of_end = true; }

void note_end() noexcept {
  int none = 0;
  ending_thread.compare_exchange_strong(none, platform::thread_id());
}

void forget_end() noexcept { ending_thread = 0; }

}  // namespace procession::process
