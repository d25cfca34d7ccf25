/// The exceptions of the library.
///
///     ProcessError                  every fault that this library reports; a std::runtime_error
///       NotInitialized              init() is missing from main()
///       TimeoutError                time ran out
///       Empty, Full, ShutDown       queues
///       EndOfFile, BrokenPipe, ConnectionLost, BufferTooShort,          connections
///       TypeMismatch, AuthenticationError
///       KeyError                    managers
///       DecodeError                 bytes that are not an encoding
///       BrokenBarrier               barriers
///       RemoteError, WorkerLost, Cancelled, StopIteration               pools and executors
///     OutOfMemory                   the shared heap is exhausted; a std::bad_alloc
///
/// Values of all these classes may be used by any thread as one uses a value of std::runtime_error;
/// copies of them never throw. Each can be thrown in one process and caught in another with all it
/// carries, and each can be sent as a value, as an element of a queue for example.
///
/// An exception that a task threw in another process arrives as an object of the type that was
/// thrown, and that object is a RemoteTrace too:
///
///     try {
///       pool.map(parse, files);
///     } catch (const std::invalid_argument& error) {
///       if (const mp::RemoteTrace* trace = mp::remote_trace(error)) {
///         std::cerr << trace->text() << " in task " << trace->task_index() << '\n';
///       }
///     }
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "procession/detail/requirements.hpp"

namespace procession {

class Encoder;
class Decoder;

namespace detail {

template <class E>
struct IsOwnError : std::false_type {};

/// One of the classes of this header, and not one derived from it, which may have fields of its
/// own.
template <class E>
concept OwnError = IsOwnError<E>::value;

template <class E>
void encode_error(Encoder& out, const E& error);
template <class E>
void decode_error(Decoder& in, E& error);

}  // namespace detail

/// Base of the faults that this library reports. Python: `multiprocessing.ProcessError`.
class ProcessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// Without a text, to decode into. So it is for all classes here.
  ProcessError() : std::runtime_error("") {}

  /// What makes these exceptions values that can be sent; use procession::encode and decode.
  template <detail::OwnError E>
  friend void encode(Encoder& out, const E& error) {
    detail::encode_error(out, error);
  }
  template <detail::OwnError E>
  friend void decode(Decoder& in, E& error) {
    detail::decode_error(in, error);
  }
};

/// A process was to be started and main() had not called init(); the text shows the line to add.
/// Python: the `RuntimeError` about the `if __name__ == '__main__'` guard.
class NotInitialized : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// Time ran out before what was waited for had happened. Python: `multiprocessing.TimeoutError`.
class TimeoutError : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A queue had no item within the time given. Python: `queue.Empty`.
class Empty : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A queue had no room within the time given. Python: `queue.Full`.
class Full : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A queue was shut down: it takes no more items, or has no more to give.
/// Python: `queue.ShutDown`.
class ShutDown : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// The other end of a connection is closed and all that it had sent was received.
/// Python: `EOFError`.
class EndOfFile : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A message was to be sent and nobody has the other end of the connection any more.
/// Python: `BrokenPipeError`.
class BrokenPipe : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A connection to another program broke: the other side reset it (it, or its host, ended with
/// something unread), its host has not answered for some 25 s, or TLS was cut off without the word
/// that ends it. What was received until then is whole; what the other side had sent last may be
/// missing, unlike at an `EndOfFile`.
/// Python: `ConnectionResetError`, `TimeoutError` of a socket, `ssl.SSLEOFError`.
class ConnectionLost : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A message was longer than the buffer it was to be received into. The message is not lost:
/// message() is all of it. Python: `multiprocessing.BufferTooShort`, the message in `args[0]`.
class BufferTooShort : public ProcessError {
 public:
  /// `room` is the size of the buffer in bytes. Throws std::bad_alloc.
  BufferTooShort(std::vector<std::byte> message, std::size_t room);
  BufferTooShort() = default;

  /// The whole message. Lives as long as any copy of this exception.
  [[nodiscard]] std::span<const std::byte> message() const noexcept;

  /// Size in bytes of the buffer that was too short.
  [[nodiscard]] std::size_t room() const noexcept { return room_; }

 private:
  std::shared_ptr<const std::vector<std::byte>> message_;
  std::size_t room_ = 0;
};

/// What arrived has another type than was asked for. No counterpart in Python, where a message has
/// no type until it is unpickled.
class TypeMismatch : public ProcessError {
 public:
  /// Both are names of types as a person would write them. Throws std::bad_alloc.
  TypeMismatch(std::string asked, std::string found);
  /// With a text of its own.
  TypeMismatch(std::string asked, std::string found, const std::string& text);
  TypeMismatch() = default;

  /// Name of the type that the receiver asked for. Lives as long as any copy of this exception.
  [[nodiscard]] const std::string& asked() const noexcept;

  /// Name of the type that was sent. Lives as long as any copy of this exception.
  [[nodiscard]] const std::string& found() const noexcept;

 private:
  struct Names {
    std::string asked;
    std::string found;
  };
  std::shared_ptr<const Names> names_;
};

/// A dictionary of a manager has no such key. Python: `KeyError`.
class KeyError : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// Bytes are not the encoding of the value that was to be read from them.
/// Python: `pickle.UnpicklingError`.
class DecodeError : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// The other side of a connection did not prove that it has the key, or refused ours.
/// Python: `multiprocessing.AuthenticationError`.
class AuthenticationError : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// A barrier was broken or reset while it was waited for. Python: `threading.BrokenBarrierError`.
class BrokenBarrier : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// The task was cancelled before it had a result. Python: `concurrent.futures.CancelledError`.
class Cancelled : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// There is no next result. Python: `StopIteration`.
class StopIteration : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// The process that ran a task ended before the task had: by a signal, by exit(), or because it
/// was over its memory limit. Only that task fails; its worker is replaced.
/// Python: nearest is `concurrent.futures.process.BrokenProcessPool`, which fails every task.
class WorkerLost : public ProcessError {
 public:
  /// What `exitcode()` is where nobody knows it, because the program takes the exit status of all
  /// its children, or ignores SIGCHLD. No process exits with it.
  static constexpr int kUnknownExit = 256;

  /// `exitcode` is that of Process::exitcode(): -N when signal N ended the process. `note` is added
  /// to the text, for example the limit that was passed, and so are the lines that the process
  /// wrote last to its standard error, and how often the task was run. Throws std::bad_alloc.
  WorkerLost(int pid, int exitcode, std::size_t task_index, const std::string& note = {},
             const std::string& last_lines = {}, unsigned runs = 1);
  WorkerLost() = default;

  /// The process that was lost.
  [[nodiscard]] int pid() const noexcept { return pid_; }

  /// How it ended: -N by signal N, otherwise the status it exited with; `kUnknownExit` when that is
  /// not known.
  [[nodiscard]] int exitcode() const noexcept { return exitcode_; }

  /// Which element of the range given to map() it was running; 0 for a single task.
  [[nodiscard]] std::size_t task_index() const noexcept { return task_index_; }

 private:
  int pid_ = 0;
  int exitcode_ = 0;
  std::size_t task_index_ = 0;
};

/// Where in another process an exception was thrown.
struct RemoteOrigin {
  /// Of what was no task: a call of a manager's object.
  static constexpr std::size_t kNoTask = ~std::size_t{0};

  std::size_t task_index = 0;  ///< element of the range given to map(); 0 for a single task
  int pid = 0;                 ///< process that ran the task; 0 when not known
};

/// What is known about an exception that was thrown in another process. Every exception that
/// arrives from one derives from it, whatever its type: catch it as RemoteTrace, or ask
/// remote_trace(). The strings live as long as any copy of it.
/// Python: `multiprocessing.pool.RemoteTraceback`, the `__cause__` of what a task raised.
class RemoteTrace {
 public:
  /// `earlier` are the processes the exception had passed through before `origin`, the first
  /// first. Throws std::bad_alloc.
  RemoteTrace(std::string type, std::string text, RemoteOrigin origin,
              std::vector<RemoteOrigin> earlier = {});
  virtual ~RemoteTrace() = default;
  RemoteTrace(const RemoteTrace&) noexcept = default;
  RemoteTrace& operator=(const RemoteTrace&) noexcept = default;

  /// Name of the type that was thrown, as a person would write it: `std::invalid_argument`.
  [[nodiscard]] const std::string& type() const noexcept { return facts_->type; }

  /// What what() said where it was thrown; the value itself where a number or a string was
  /// thrown; empty where nothing can be said.
  [[nodiscard]] const std::string& text() const noexcept { return facts_->text; }

  /// Which element of the range given to map() failed; 0 for a single task.
  [[nodiscard]] std::size_t task_index() const noexcept { return facts_->origin.task_index; }

  /// The process it came from; 0 when not known.
  [[nodiscard]] int pid() const noexcept { return facts_->origin.pid; }

  /// The processes it had passed through before pid(), the one that first threw it first; empty
  /// when pid() threw it. Not empty when a task itself used a pool and let its exception pass.
  [[nodiscard]] const std::vector<RemoteOrigin>& earlier() const noexcept {
    return facts_->earlier;
  }

 private:
  struct Facts {
    std::string type;
    std::string text;
    RemoteOrigin origin;
    std::vector<RemoteOrigin> earlier;
  };
  std::shared_ptr<const Facts> facts_;  // shared, for copies that do not throw
};

/// The trace of an exception that arrived from another process; nullptr for one that was thrown in
/// this one. Lives as long as `error`. Never throws.
[[nodiscard]] const RemoteTrace* remote_trace(const std::exception& error) noexcept;

/// The same for a stored exception of any type. Lives as long as what `error` points to.
[[nodiscard]] const RemoteTrace* remote_trace(const std::exception_ptr& error) noexcept;

/// An exception from another process whose type cannot be had here: it is neither one of the
/// standard library's or this library's nor announced with register_exception(). Its type, text
/// and place are in the text and in the RemoteTrace.
/// Python: `multiprocessing.managers.RemoteError`.
class RemoteError : public ProcessError, public RemoteTrace {
 public:
  /// Throws std::bad_alloc.
  explicit RemoteError(const RemoteTrace& trace);
  RemoteError();
};

/// The shared heap has no block of the size that was asked for. The text says how much was asked
/// for and how the heap is made larger. Python: `MemoryError`.
class OutOfMemory : public std::bad_alloc {
 public:
  /// Throws std::bad_alloc when there is no memory for a copy of `text` either.
  explicit OutOfMemory(const std::string& text) : text_(text) {}
  OutOfMemory() : text_("") {}

  [[nodiscard]] const char* what() const noexcept override { return text_.what(); }

  /// As those of ProcessError.
  template <std::same_as<OutOfMemory> E>
  friend void encode(Encoder& out, const E& error) {
    detail::encode_error(out, error);
  }
  template <std::same_as<OutOfMemory> E>
  friend void decode(Decoder& in, E& error) {
    detail::decode_error(in, error);
  }

 private:
  std::runtime_error text_;  // a string whose copies do not throw
};

namespace detail {

template <class E, class... Family>
concept OneOf = (std::is_same_v<E, Family> || ...);

template <class E>
  requires OneOf<E, ProcessError, NotInitialized, TimeoutError, Empty, Full, ShutDown, EndOfFile,
                 BrokenPipe, ConnectionLost, BufferTooShort, TypeMismatch, KeyError, DecodeError,
                 AuthenticationError, BrokenBarrier, Cancelled, StopIteration, WorkerLost,
                 RemoteError, OutOfMemory>
struct IsOwnError<E> : std::true_type {};

}  // namespace detail

}  // namespace procession
