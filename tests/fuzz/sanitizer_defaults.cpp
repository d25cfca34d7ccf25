// What AddressSanitizer does in every fuzz program unless ASAN_OPTIONS says otherwise.
//
// An input is over in microseconds and throws for most of what is wrong with it. By default each
// throw then looks through fake stacks, and all memory is fresh from the kernel until 256 MiB have
// been freed: nine tenths of the time. What an input frees still stays poisoned until it is over.

// NOLINTNEXTLINE(readability-identifier-naming, bugprone-reserved-identifier): the sanitizer's name
extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:quarantine_size_mb=4:thread_local_quarantine_size_kb=256";
}
