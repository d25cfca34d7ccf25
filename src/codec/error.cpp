#include "procession/error.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <string_view>
#include <utility>

namespace procession {
namespace {

const std::string kNone;

std::string signal_name(int number) {
  switch (number) {
    case SIGABRT:
      return "SIGABRT";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    case SIGINT:
      return "SIGINT";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGTERM:
      return "SIGTERM";
#ifdef SIGKILL
    case SIGKILL:
      return "SIGKILL";
#endif
#ifdef SIGBUS
    case SIGBUS:
      return "SIGBUS";
#endif
#ifdef SIGHUP
    case SIGHUP:
      return "SIGHUP";
#endif
#ifdef SIGPIPE
    case SIGPIPE:
      return "SIGPIPE";
#endif
#ifdef SIGXCPU
    case SIGXCPU:
      return "SIGXCPU";
#endif
    default:
      return {};
  }
}

std::string describe_end(int exitcode) {
  if (exitcode == WorkerLost::kUnknownExit) {
    return "ended in a way that is not known (this program ignores SIGCHLD or waits for all "
           "children itself, and so took its exit status away)";
  }
  if (exitcode >= 0) return "exited with status " + std::to_string(exitcode);
  // Not `-exitcode`: the least int has no negative.
  const std::string number = std::to_string(exitcode).substr(1);
  const std::string name = signal_name(exitcode < -1024 ? 0 : -exitcode);
  return "was ended by signal " + number + (name.empty() ? "" : " (" + name + ")");
}

/// Whether the name of a type may be that of a class: it is no pointer, and no arithmetic type.
bool is_class(const std::string& name) {
  if (name.back() == '*') return false;
  constexpr std::string_view kWords[] = {"bool", "char",  "char8_t", "char16_t", "char32_t",
                                         "int",  "float", "double",  "wchar_t",  "__int128",
                                         "long", "short", "signed",  "unsigned"};
  const std::string_view first = std::string_view(name).substr(0, name.find(' '));
  return std::find(std::begin(kWords), std::end(kWords), first) == std::end(kWords);
}

std::string describe_remote(const RemoteTrace& trace) {
  std::string text = trace.type();
  if (text.empty()) return text;
  if (!trace.text().empty()) text += ": " + trace.text();
  if (trace.pid() != 0) {
    const bool by_task = trace.task_index() != RemoteOrigin::kNoTask;
    text += (by_task ? " (thrown by task " + std::to_string(trace.task_index()) + " in process "
                     : std::string(" (thrown in process ")) +
            std::to_string(trace.pid()) + ")";
  }
  if (!is_class(trace.type())) {
    return text +
           "; only types of classes can be announced, and then be caught: throw one of these";
  }
  return text + "; to catch it by its type, announce that with register_exception in the sender " +
         "and in the receiver (one whose fields cannot be sent, such as handles, never arrives)";
}

}  // namespace

BufferTooShort::BufferTooShort(std::vector<std::byte> message, std::size_t room)
    : ProcessError("a message of " + std::to_string(message.size()) +
                   " bytes was to be received into a buffer of " + std::to_string(room) +
                   "; message() of this exception is the whole message"),
      message_(std::make_shared<const std::vector<std::byte>>(std::move(message))),
      room_(room) {}

std::span<const std::byte> BufferTooShort::message() const noexcept {
  return message_ ? *message_ : std::span<const std::byte>();
}

TypeMismatch::TypeMismatch(std::string asked, std::string found)
    : ProcessError("asked for a value of type " + asked + ", but what is there is of type " +
                   found + "; ask for the type that was sent"),
      names_(std::make_shared<const Names>(Names{std::move(asked), std::move(found)})) {}

TypeMismatch::TypeMismatch(std::string asked, std::string found, const std::string& text)
    : ProcessError(text),
      names_(std::make_shared<const Names>(Names{std::move(asked), std::move(found)})) {}

const std::string& TypeMismatch::asked() const noexcept { return names_ ? names_->asked : kNone; }

const std::string& TypeMismatch::found() const noexcept { return names_ ? names_->found : kNone; }

WorkerLost::WorkerLost(int pid, int exitcode, std::size_t task_index, const std::string& note,
                       const std::string& last_lines, unsigned runs)
    : ProcessError("worker process " + std::to_string(pid) + " " + describe_end(exitcode) +
                   " while it ran task " + std::to_string(task_index) +
                   (note.empty() ? "" : " (" + note + ")") +
                   "; the other tasks are not affected; " +
                   (runs > 1 ? "this one was run " + std::to_string(runs) +
                                   " times, as often as MapOptions::retries asked: find out what "
                                   "ends its worker"
                             : "in a map, MapOptions::retries runs such a task anew") +
                   (last_lines.empty() ? "" : "; its last lines on stderr:\n" + last_lines)),
      pid_(pid),
      exitcode_(exitcode),
      task_index_(task_index) {}

RemoteTrace::RemoteTrace(std::string type, std::string text, RemoteOrigin origin,
                         std::vector<RemoteOrigin> earlier)
    : facts_(std::make_shared<const Facts>(
          Facts{std::move(type), std::move(text), origin, std::move(earlier)})) {}

RemoteError::RemoteError(const RemoteTrace& trace)
    : ProcessError(describe_remote(trace)), RemoteTrace(trace) {}

RemoteError::RemoteError() : RemoteTrace({}, {}, {}) {}

const RemoteTrace* remote_trace(const std::exception& error) noexcept {
  return dynamic_cast<const RemoteTrace*>(&error);
}

const RemoteTrace* remote_trace(const std::exception_ptr& error) noexcept {
  if (!error) return nullptr;
  try {
    std::rethrow_exception(error);
  } catch (const RemoteTrace& trace) {
    return &trace;  // the object lives on: `error` holds it
  } catch (...) {
    return nullptr;
  }
}

}  // namespace procession
