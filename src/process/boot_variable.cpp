#include "process/boot_variable.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "platform/environment.hpp"
#include "procession/error.hpp"

namespace procession::process {

namespace {
constexpr const char* kName = "PROCESSION_BOOT";
constexpr const char* kBindNow = "LD_BIND_NOW";
constexpr std::string_view kOurs = "procession";  // tells ours from the user's
constexpr std::string_view kChild = "child:";
constexpr std::string_view kServer = "server:";
}  // namespace

std::vector<std::string> boot_variables(BootRole role, heap::Offset record) {
  const bool child = role == BootRole::child;
  std::vector<std::string> variables{kName + ("=" + std::string(child ? kChild : kServer)) +
                                     std::to_string(record)};
  if (!child && !platform::find_environment(kBindNow)) {
    variables.push_back(kBindNow + ("=" + std::string(kOurs)));
  }
  return variables;
}

std::optional<Boot> take_boot_variable() {
  const std::optional<std::string> found = platform::take_environment(kName);
  if (!found) {
    return std::nullopt;
  }
  if (platform::find_environment(kBindNow) == kOurs) {
    platform::take_environment(kBindNow);
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
