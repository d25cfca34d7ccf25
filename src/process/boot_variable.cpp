#include "process/boot_variable.hpp"

#include <array>
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
/// In the order of BootRole.
constexpr std::array<std::string_view, 3> kRoles{"child:", "server:", "janitor:"};
}  // namespace

std::vector<std::string> boot_variables(BootRole role, const Record::Claim& claim) {
  const auto word = std::string(kRoles[static_cast<std::size_t>(role)]);
  std::vector<std::string> variables{kName + ("=" + word) + std::to_string(claim.record) + ":" +
                                     std::to_string(claim.serial)};
  if (role == BootRole::server && !platform::find_environment(kBindNow)) {
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
  for (std::size_t role = 0; role < kRoles.size(); ++role) {
    if (!found->starts_with(kRoles[role])) {
      continue;
    }
    const char* const number = found->data() + kRoles[role].size();
    const char* const end = found->data() + found->size();
    Record::Claim claim;
    const auto [colon, error] = std::from_chars(number, end, claim.record);
    if (error == std::errc{} && colon != end && *colon == ':') {
      const auto [last, bad] = std::from_chars(colon + 1, end, claim.serial);
      if (bad == std::errc{} && last == end) {
        return Boot{static_cast<BootRole>(role), claim};
      }
    }
  }
  throw ProcessError(std::string("the environment variable ") + kName +
                     " is this library's own and was found to be '" + *found +
                     "', which it did not write; unset it");
}

}  // namespace procession::process
