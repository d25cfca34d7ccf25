#include "error_category.hpp"

#include <atomic>
#include <cstddef>
#include <future>
#include <ios>
#include <memory>

namespace procession::detail {
namespace {

constexpr std::size_t kMostNames = 256;

class ForeignCategory : public std::error_category {
 public:
  explicit ForeignCategory(std::string name) : name_(std::move(name)) {}
  const char* name() const noexcept override { return name_.c_str(); }
  std::string message(int value) const override {
    return "error " + std::to_string(value) + " of the category '" + name_ + "' of another process";
  }

 private:
  std::string name_;
};

// A list that is only added to, never freed (error codes point into it), and needs no lock, which
// another thread might hold when this process is forked.
struct Known {
  explicit Known(const std::string& name) : category(name) {}

  ForeignCategory category;
  std::size_t count = 0;
  const Known* next = nullptr;
};
constinit std::atomic<const Known*> known_categories{nullptr};

const std::error_category& foreign_category(const std::string& name) {
  std::unique_ptr<Known> added;
  const Known* first = known_categories.load(std::memory_order_acquire);
  do {
    for (const Known* at = first; at != nullptr; at = at->next) {
      if (name == at->category.name()) return at->category;
    }
    const std::size_t count = first == nullptr ? 1 : first->count + 1;
    if (count > kMostNames) {
      static const ForeignCategory rest("unknown");
      return rest;
    }
    if (!added) added = std::make_unique<Known>(name);
    added->count = count;
    added->next = first;
  } while (!known_categories.compare_exchange_weak(first, added.get(), std::memory_order_acq_rel));
  return added.release()->category;
}

}  // namespace

const std::error_category& error_category(const std::string& name) {
  for (const std::error_category* standard : {&std::generic_category(), &std::system_category(),
                                              &std::iostream_category(), &std::future_category()}) {
    if (name == standard->name()) return *standard;
  }
  return foreign_category(name);
}

}  // namespace procession::detail
