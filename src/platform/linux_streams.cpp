#include <stdio_ext.h>

#include <cstdio>
#include <ext/stdio_filebuf.h>
#include <ext/stdio_sync_filebuf.h>
#include <iostream>
#include <typeinfo>

#include "platform/streams.hpp"

namespace procession::platform {

namespace {

/// Lets go of what `stream` holds itself, where it writes to a file of stdio's; elsewhere the
/// program may want it.
void forget(std::ostream& stream) {
  struct Open : std::streambuf {
    static void empty(std::streambuf& buffer) {
      const auto held = (buffer.*&Open::pptr)() - (buffer.*&Open::pbase)();
      (buffer.*&Open::pbump)(-static_cast<int>(held));
    }
  };
  std::streambuf* const buffer = stream.rdbuf();
  if (buffer != nullptr && typeid(*buffer) == typeid(__gnu_cxx::stdio_filebuf<char>)) {
    Open::empty(*buffer);
  }
}

/// Not where it leaves all that it is given to stdio, as it does unless the program says otherwise:
/// to call it would be the one use that most copies of a process have for that code, whose pages
/// they would fault in.
void flush(std::ostream& stream) {
  const std::streambuf* const buffer = stream.rdbuf();
  if (buffer != nullptr && typeid(*buffer) != typeid(__gnu_cxx::stdio_sync_filebuf<char>)) {
    stream.flush();
  }
}

}  // namespace

void flush_streams() {
  flush(std::cout);
  flush(std::clog);
  std::fflush(stdout);
  std::fflush(stderr);
}

void forget_unwritten() {
  forget(std::cout);
  forget(std::clog);
  ::__fpurge(stdout);
  ::__fpurge(stderr);
}

}  // namespace procession::platform
