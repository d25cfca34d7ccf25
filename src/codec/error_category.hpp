// Error categories by name, for std::system_error from another process.
#pragma once

#include <string>
#include <system_error>

namespace procession::detail {

// The standard category of that name; for any other name a category that has the name and no
// messages. Only the first few hundred names are told apart, as they are kept for ever.
const std::error_category& error_category(const std::string& name);

}  // namespace procession::detail
