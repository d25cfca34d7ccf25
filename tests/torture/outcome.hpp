#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

#include "tasks.hpp"

// How tasks end.
namespace torture_test {

enum class End : std::uint8_t { value, own, lost, timeout, cancelled, other };

/// How a task has ended, and for a map the element that made it end so.
struct Outcome {
  End end = End::other;
  std::optional<std::size_t> element;  ///< not known of what was cancelled
  int exitcode = 0;
  std::string text;
};

inline std::string to_string(const Outcome& outcome) {
  constexpr const char* kEnds[] = {"value", "own", "lost", "timeout", "cancelled", "other"};
  return std::string(kEnds[static_cast<std::size_t>(outcome.end)]) + " (exit code " +
         std::to_string(outcome.exitcode) + "): " + outcome.text;
}

inline Outcome outcome_of(const std::exception_ptr& failure) {
  Outcome outcome;
  if (const mp::RemoteTrace* const trace = mp::remote_trace(failure)) {
    outcome.element = trace->task_index();
    outcome.text = trace->text();
  }
  try {
    std::rethrow_exception(failure);
  } catch (const mp::WorkerLost& error) {
    // One of a pool in the task has a number of its own, and the trace that of the task.
    outcome = {End::lost, outcome.element.value_or(error.task_index()), error.exitcode(),
               error.what()};
  } catch (const mp::TimeoutError&) {
    outcome.end = End::timeout;
  } catch (const mp::Cancelled& error) {
    outcome = {End::cancelled, std::nullopt, 0, error.what()};
  } catch (const mp::RemoteError& error) {
    if (error.type().ends_with("Unheard")) outcome.end = End::own;
  } catch (const Unheard& error) {  // of a thread: as it was thrown
    outcome.end = End::own;
    outcome.text = error.what();
  } catch (const Torment&) {
    outcome.end = End::own;
  } catch (const std::invalid_argument&) {
    outcome.end = End::own;
  } catch (const std::exception& error) {
    outcome.text = std::string(typeid(error).name()) + ": " + error.what();
  }
  return outcome;
}

/// Whether that was done to a worker and not by its task: by a kill from without.
inline bool is_murder(const Outcome& outcome) {
  return outcome.end == End::lost && outcome.exitcode == -SIGKILL &&
         outcome.text.find("max_memory_per_child") == std::string::npos;
}

/// How many fork servers have to be killed in a row before a pool cannot be made.
inline constexpr std::uint64_t kServers = 20;

/// Whether a task could not make its pool, because all fork servers were killed over it.
inline bool starved_of_servers(const Outcome& outcome) {
  return outcome.end == End::other &&
         outcome.text.find("the fork server ended " + std::to_string(kServers) + " times") !=
             std::string::npos &&
         outcome.text.find("(exit code -9)") != std::string::npos;
}

/// What a task of its kind comes to when it is left alone, or null for a value.
inline bool fits(const Work& work, const Outcome& outcome) {
  switch (work.kind) {
    case Kind::throwing:
      return outcome.end == End::own && outcome.text == own_text(work);
    case Kind::exiting:
      return outcome.end == End::lost && outcome.exitcode == 3;
    case Kind::aborting:
      return outcome.end == End::lost && outcome.exitcode == -SIGABRT;
    case Kind::crashing:
      return outcome.end == End::lost && outcome.exitcode == -SIGSEGV;
    case Kind::growing:
      return outcome.end == End::lost && outcome.exitcode == -SIGKILL && !is_murder(outcome);
    case Kind::hanging:
      return outcome.end == (work.timed || !work.on_thread ? End::timeout : End::value);
    default:
      return outcome.end == End::value;
  }
}

}  // namespace torture_test
