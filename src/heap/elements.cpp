#include "heap/elements.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "heap/layout.hpp"
#include "platform/fenced_mapping.hpp"
#include "platform/memory.hpp"
#include "procession/error.hpp"

namespace procession::heap {

namespace {

/// Blocks of the users' region begin at multiples of it.
constexpr std::size_t kBlockAlignment = 256;

[[noreturn]] void throw_no_addresses(std::uint64_t bytes) {
  throw OutOfMemory("cannot map the " + std::to_string(bytes) +
                    " bytes of an array between pages without access, as PROCESSION_GUARD asks "
                    "for: there is no room in the address space of this process (RLIMIT_AS, "
                    "'ulimit -v'), or it has too many mappings (vm.max_map_count); raise the "
                    "limit, or unset PROCESSION_GUARD");
}

/// Pages of the heap's file, mapped once more, with no access on either side.
class GuardedPages {
 public:
  GuardedPages(Offset from, std::uint64_t bytes) : pages_(descriptor(), from, bytes) {
    // Guards may not take what the heap itself needs as it grows, which cannot say no.
    constexpr std::size_t kSpared = 16;
    if (!pages_ || !platform::has_mappings_left(kSpared)) throw_no_addresses(bytes);
  }

  [[nodiscard]] std::byte* first() const { return pages_.first(); }

 private:
  platform::FencedMapping pages_;
};

}  // namespace

Guarded guard_from_environment() {
  const char* const text = std::getenv("PROCESSION_GUARD");
  const std::string_view value = text == nullptr ? "" : text;
  if (value.empty() || value == "0") return Guarded::no;
  if (value == "1") return Guarded::behind;
  if (value == "2") return Guarded::before;
  throw ProcessError("the environment variable PROCESSION_GUARD is '" + std::string(value) +
                     "', which says nothing; it may be 1 for a page without access behind each "
                     "array, 2 for one before each, and 0 or unset for none");
}

Elements make_elements(std::size_t bytes, std::size_t alignment, Offset owner, Guarded guarded) {
  if (bytes == 0) return {0, 0, Guarded::no};
  expect_possible(bytes);
  const std::uint64_t page = platform::page_size();
  const std::uint64_t step = guarded == Guarded::no ? alignment : page;
  const std::uint64_t all = guarded == Guarded::no ? bytes : round_up(bytes, page);
  const std::uint64_t spare = step > kBlockAlignment ? step - kBlockAlignment : 0;
  const Offset block = target(allocate(all + spare, owner, true, Region::users));
  const Offset begin = round_up(block, step);
  return {guarded == Guarded::behind ? begin + all - bytes : begin, bytes, guarded};
}

ElementsHere map_elements(const Elements& elements) {
  if (elements.first == 0) return {};
  if (elements.guarded == Guarded::no) return {at(elements.first), nullptr};
  const std::uint64_t page = platform::page_size();
  const Offset from = elements.first / page * page;
  auto pages =
      std::make_shared<GuardedPages>(from, round_up(elements.first + elements.bytes, page) - from);
  return {pages->first() + (elements.first - from), pages};
}

}  // namespace procession::heap
