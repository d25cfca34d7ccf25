#include <fcntl.h>
#include <stdio_ext.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cwchar>
#include <ext/stdio_filebuf.h>
#include <ext/stdio_sync_filebuf.h>
#include <iostream>
#include <typeinfo>
#include <utility>

#include "platform/linux/pipe_signal.hpp"
#include "platform/report.hpp"
#include "platform/streams.hpp"

namespace procession::platform {

namespace {

/// The streams for one kind of letters, and what the library knows of them.
template <class Letter>
class StreamsOf {
 public:
  using Stream = std::basic_ostream<Letter>;
  using Buffer = std::basic_streambuf<Letter>;

  StreamsOf(Stream& out, Stream& log, Stream& error) : streams_{&out, &log, &error} {
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      states_[i] = streams_[i];
      if (leaves_all_to_stdio(states_[i]->rdbuf())) {
        stdio_[i] = states_[i]->rdbuf();
      }
    }
  }

  /// Whether they leave all that they are given to stdio, as they do unless the program says
  /// otherwise. A look at where they write is enough.
  [[nodiscard]] bool unbuffered() const noexcept {
    return states_[0]->rdbuf() == stdio_[0] && states_[1]->rdbuf() == stdio_[1] &&
           states_[2]->rdbuf() == stdio_[2];
  }

  /// Whether some may hold something: of buffers that the program made, nobody knows.
  [[nodiscard]] bool pending() const noexcept {
    return may_hold(states_[0]->rdbuf()) || may_hold(states_[1]->rdbuf()) ||
           may_hold(states_[2]->rdbuf());
  }

  void flush() const noexcept {
    for (Stream* const stream : streams_) {
      if (may_hold(stream->rdbuf())) {
        try {
          stream->flush();
        } catch (...) {
          // Its state tells, to who uses it next.
        }
      }
    }
  }

  /// Lets go of what they hold themselves, where they write to a file of stdio's; elsewhere the
  /// program may want it.
  void forget() const {
    for (Stream* const stream : streams_) {
      Buffer* const buffer = stream->rdbuf();
      if (buffer != nullptr && writes_to_file(*buffer)) {
        ((*buffer).*&Open::pbump)(-static_cast<int>(held(*buffer)));
      }
    }
  }

 private:
  struct Open : Buffer {
    using Buffer::pbase;
    using Buffer::pbump;
    using Buffer::pptr;
  };

  static bool leaves_all_to_stdio(const Buffer* buffer) noexcept {
    return buffer != nullptr && typeid(*buffer) == typeid(__gnu_cxx::stdio_sync_filebuf<Letter>);
  }
  static bool writes_to_file(const Buffer& buffer) noexcept {
    return typeid(buffer) == typeid(__gnu_cxx::stdio_filebuf<Letter>);
  }
  static std::ptrdiff_t held(const Buffer& buffer) noexcept {
    return (buffer.*&Open::pptr)() - (buffer.*&Open::pbase)();
  }
  /// Not where it leaves all to stdio: to flush it would be the one use that most copies of a
  /// process have for that code, whose pages they would fault in.
  static bool may_hold(const Buffer* buffer) noexcept {
    return buffer != nullptr &&
           (writes_to_file(*buffer) ? held(*buffer) > 0 : !leaves_all_to_stdio(buffer));
  }

  std::array<Stream*, 3> streams_;
  std::array<const std::basic_ios<Letter>*, 3> states_{};
  std::array<const Buffer*, 3> stdio_{};
};

struct Streams {
  StreamsOf<char> narrow{std::cout, std::clog, std::cerr};
  StreamsOf<wchar_t> wide{std::wcout, std::wclog, std::wcerr};

  [[nodiscard]] bool unbuffered() const noexcept {
    return narrow.unbuffered() && wide.unbuffered();
  }
  [[nodiscard]] bool pending() const noexcept {
    return !unbuffered() && (narrow.pending() || wide.pending());
  }
};

const Streams& streams() {
  static const Streams all;
  return all;
}

bool is_wide(std::FILE* file) { return std::fwide(file, 0) > 0; }

/// What a file holds, as it is: stdio would lose what a non-blocking one has no room for.
void flush_waiting(std::FILE& file, int descriptor) noexcept {
  ::flockfile(&file);
  const char* const begin = file._IO_write_base;
  write_text(descriptor, {begin, static_cast<std::size_t>(file._IO_write_ptr - begin)});
  ::__fpurge(&file);
  ::funlockfile(&file);
}

bool pending(std::FILE* file) noexcept { return file != nullptr && ::__fpending(file) != 0; }

void flush(std::FILE* file, NoPipeSignal& no_signal) noexcept {
  if (!pending(file)) {
    return;
  }
  const int descriptor = ::fileno(file);
  const int flags = descriptor < 0 ? 0 : ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) != 0 && !is_wide(file)) {
    flush_waiting(*file, descriptor);
    no_signal.note(EPIPE);  // it may have been
  } else if (std::fflush(file) != 0) {
    no_signal.note(errno);
  }
}

}  // namespace

void flush_streams() noexcept {
  const Streams& all = streams();
  const bool own = all.pending();
  if (!own && !pending(stdout) && !pending(stderr)) {
    return;
  }
  NoPipeSignal no_signal;
  if (own) {
    errno = 0;
    all.narrow.flush();
    all.wide.flush();
    no_signal.note(errno);
  }
  flush(stdout, no_signal);
  flush(stderr, no_signal);
}

HeldText held_text() noexcept {
  static const char* const nothing = nullptr;
  static const char* const something = "";
  if (stdout == nullptr || is_wide(stdout) || !streams().unbuffered()) {
    return {&nothing, &something};
  }
  return {&stdout->_IO_write_base, &stdout->_IO_write_ptr};
}

bool has_used_stderr() noexcept {
  if (stderr == nullptr || !streams().unbuffered()) {
    return true;
  }
  // What stdio takes for the place in the file: it adds what it writes, and makes it -1 when it is
  // asked to flush. It asks nobody, as long as nothing is read.
  return std::exchange(stderr->_offset, 0) != 0;
}

void forget_unwritten() {
  streams().narrow.forget();
  streams().wide.forget();
  ::__fpurge(stdout);
  ::__fpurge(stderr);
}

}  // namespace procession::platform
