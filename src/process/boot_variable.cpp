#include "process/boot_variable.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "platform/environment.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {
constexpr const char* kName = "PROCESSION_BOOT";
constexpr std::string_view kChild = "child:";
constexpr std::string_view kServer = "server:";
}  // namespace

std::string boot_variable(BootRole role, heap::Offset record) {
  std::string text = kName;
  text += '=';
  text += role == BootRole::child ? kChild : kServer;
  return text + std::to_string(record);
}

std::optional<Boot> take_boot_variable() {
  const std::optional<std::string> found = platform::take_environment(kName);
  if (!found) {
    return std::nullopt;
  }
  const bool child = found->starts_with(kChild);
  if (child || found->starts_with(kServer)) {
    const std::string_view number =
        std::string_view(*found).substr(child ? kChild.size() : kServer.size());
    heap::Offset record = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), record);
    if (error == std::errc{} && end == number.data() + number.size()) {
      return Boot{child ? BootRole::child : BootRole::server, record};
    }
  }
  throw ProcessError(std::string("the environment variable ") + kName +
                     " is this library's own and was found to be '" + *found +
                     "', which it did not write; unset it");
}

}  // namespace procession::process
