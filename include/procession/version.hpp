#pragma once

// The version of these headers, by semantic versioning: as long as the first number is 0, the
// second one changes where programs may have to. Can be included in preprocessor conditions of any
// kind; CMakeLists.txt reads the numbers from here.
#define PROCESSION_VERSION_MAJOR 0
#define PROCESSION_VERSION_MINOR 1
#define PROCESSION_VERSION_PATCH 0

/// As one number that can be compared, e.g. 0.1.0 is 100 and 1.2.3 is 10203.
#define PROCESSION_VERSION \
  (PROCESSION_VERSION_MAJOR * 10000 + PROCESSION_VERSION_MINOR * 100 + PROCESSION_VERSION_PATCH)

namespace procession {

/// The version of the library that this program runs with, e.g. "0.1.0". With a shared library it
/// may be a later one than that of the headers, `PROCESSION_VERSION`. Thread-safe.
const char* version() noexcept;

}  // namespace procession
