#pragma once

// What this library asks of a compilation. A missing file then ends it, so that nothing hides the
// reason.
#if __cplusplus < 202002L
#error "Procession needs C++20: compile with -std=c++20, or a later one"
#include "procession/detail/ends_the_compilation"
#elif !defined(__cpp_rtti)
#error "Procession needs run-time type information: compile without -fno-rtti"
#include "procession/detail/ends_the_compilation"
#elif !defined(__cpp_exceptions)
#error "Procession needs exceptions: compile without -fno-exceptions"
#include "procession/detail/ends_the_compilation"
#endif
