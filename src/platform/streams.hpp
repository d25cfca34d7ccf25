#pragma once

namespace procession::platform {

/// Writes out what the C and C++ streams of standard output and error hold, narrow and wide, and
/// waits where there is no room. Next to nothing where they hold nothing. Text that nobody can read
/// any more is dropped: no signal comes of it.
void flush_streams() noexcept;

/// Two places that hold different addresses while standard output holds text back, for loops that
/// cannot afford a call. Where that alone does not tell (other streams have a buffer of their own
/// too), they always differ.
struct HeldText {
  const char* const* begin;
  const char* const* end;
};
HeldText held_text() noexcept;

/// Whether something may have been written to stderr through the streams of C and C++ since this
/// was asked last. A load and a store, where these have no buffers of their own.
bool has_used_stderr() noexcept;

/// In the child of a fork: forgets what those hold. It is the parent's, which writes it.
void forget_unwritten();

}  // namespace procession::platform
