#include "manager/caller.hpp"

#include <algorithm>
#include <utility>

#include "procession/detail/served.hpp"

namespace procession::manager {

namespace {

thread_local Caller* current_caller = nullptr;

/// A thread of the server's program itself.
class OwnThread final : public Caller {
 public:
  bool gone() noexcept override { return false; }
};

std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Caller::Caller() : number_(next_number()) {}

Caller::~Caller() {
  for (const auto& one : belongings_)
    one->owner_left();
}

void Caller::give(const Belonging& what) noexcept {
  const auto found = std::find_if(belongings_.begin(), belongings_.end(),
                                  [&](const auto& one) { return one.get() == &what; });
  if (found != belongings_.end()) belongings_.erase(found);
}

Caller& Caller::current() {
  if (current_caller != nullptr) return *current_caller;
  static thread_local OwnThread own;
  return own;
}

Caller::Entered::Entered(Caller& caller) noexcept
    : before_(std::exchange(current_caller, &caller)) {}

Caller::Entered::~Entered() { current_caller = before_; }

}  // namespace procession::manager

namespace procession::detail {

void expect_caller() {
  if (manager::Caller::current().gone()) throw manager::CallerGone();
}

}  // namespace procession::detail
