#include "heap/reserve.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>

#include "platform/memory.hpp"
#include "platform/valgrind.hpp"
#include "procession/error.hpp"

namespace procession::heap {
namespace {

constexpr std::uint64_t kGibi = std::uint64_t{1} << 30;
/// A leak check reads all of it, by which the holes become memory.
constexpr std::uint64_t kUnderValgrind = std::uint64_t{64} << 20;
constexpr std::uint64_t kMostReserve = std::uint64_t{1} << 45;  // of which four can be mapped

int shift_of(std::string_view suffix) {
  if (suffix.empty()) return 0;
  if (suffix.size() > 1) return -1;
  switch (suffix.front()) {
    case 'k':
    case 'K':
      return 10;
    case 'm':
    case 'M':
      return 20;
    case 'g':
    case 'G':
      return 30;
    case 't':
    case 'T':
      return 40;
    default:
      return -1;
  }
}

}  // namespace

std::uint64_t parse_reserve(std::string_view text, std::string_view source) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const int shift = shift_of(text.substr(static_cast<std::size_t>(end - text.data())));
  if (error != std::errc{} || shift < 0 ||
      number > std::numeric_limits<std::uint64_t>::max() >> shift) {
    throw ProcessError(
        std::string(source) + " is '" + std::string(text) +
        "', which is no size for the shared heap; give a number of bytes, or of KiB, "
        "MiB, GiB or TiB with a suffix K, M, G or T, such as 512M");
  }
  if (number << shift < kTinyReserve) {
    throw ProcessError(std::string(source) + " asks for a shared heap of " +
                       std::to_string(number << shift) + " bytes; it needs at least " +
                       std::to_string(kTinyReserve) +
                       " (256K). Memory is only used as it is "
                       "needed, so a large size costs nothing");
  }
  return number << shift;
}

std::uint64_t wanted_reserve(std::uint64_t asked) {
  std::uint64_t wanted = asked;
  if (const char* text = std::getenv("PROCESSION_HEAP"); text != nullptr && *text != '\0') {
    wanted = parse_reserve(text, "the environment variable PROCESSION_HEAP");
  } else if (wanted == 0) {
    wanted = platform::runs_under_valgrind()
                 ? kUnderValgrind
                 : (std::max(platform::physical_memory(), kGibi) + kGibi - 1) / kGibi * kGibi;
  }
  // There are two regions, and what tells of them and keeps them apart: see mapping.cpp.
  wanted = std::min({wanted, kMostReserve, platform::file_size_limit() / 10 * 4,
                     platform::address_space_left() / 2 / 12 * 4});
  return wanted / platform::page_size() * platform::page_size();
}

}  // namespace procession::heap
