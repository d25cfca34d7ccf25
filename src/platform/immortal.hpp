#pragma once

namespace procession::platform {

/// A T at namespace scope that is there before any constructor of a static object runs, the
/// program's too, and is never destroyed: threads and exit handlers use it to the very end. To be
/// declared `constinit`.
template <class T>
union Immortal {
  constexpr Immortal() : value() {}
  Immortal(const Immortal&) = delete;
  Immortal& operator=(const Immortal&) = delete;
  ~Immortal() {}  // NOLINT(modernize-use-equals-default): that would be deleted

  T value;
};

}  // namespace procession::platform
