#include "procession/version.hpp"

namespace procession {

#define PROCESSION_TEXT_OF(number) #number
#define PROCESSION_TEXT(number) PROCESSION_TEXT_OF(number)

const char* version() noexcept {
  return PROCESSION_TEXT(PROCESSION_VERSION_MAJOR) "." PROCESSION_TEXT(
      PROCESSION_VERSION_MINOR) "." PROCESSION_TEXT(PROCESSION_VERSION_PATCH);
}

}  // namespace procession
