#pragma once

#include <sys/resource.h>

/// To the end of the scope this process can open no more descriptors. Not for tests that run with a
/// sanitizer: to look at what is thrown, that of undefined behaviour makes a pipe, and without
/// descriptors takes that for no exception.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{3, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};
