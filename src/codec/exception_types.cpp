#include "exception_types.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>

namespace procession::detail {
namespace {

struct Announced {
  ExceptionType type;
  std::string name;
  const Announced* next;
};

// Only ever added to, and never freed: exceptions are sent until the very end of a process.
std::atomic<const Announced*>& announced() {
  static constinit std::atomic<const Announced*> head{nullptr};
  return head;
}

template <class Test>
const ExceptionType* find_if(Test test) {
  for (const auto types : std::array{standard_exception_types(), own_exception_types()}) {
    for (const ExceptionType& type : types) {
      if (test(type)) return &type;
    }
  }
  for (const Announced* at = announced().load(std::memory_order_acquire); at; at = at->next) {
    if (test(at->type)) return &at->type;
  }
  return nullptr;
}

}  // namespace

const ExceptionType* find_exception_type(std::string_view name) noexcept {
  return find_if([&](const ExceptionType& type) { return type.name == name; });
}

const ExceptionType* find_exception_type(const std::exception_ptr& error,
                                         const std::type_info& thrown) {
  const auto* exact = find_if([&](const ExceptionType& type) { return type.is_type(thrown); });
  if (exact != nullptr || !is_nested(error)) return exact;
  return find_if([&](const ExceptionType& type) { return type.is_nested(error, thrown); });
}

bool announce_exception(const ExceptionType& type, std::string name) {
  const bool unnamed = name.empty();
  if (unnamed) name = readable_name(type.id());
  const auto conflicts = [&](const ExceptionType& other) {
    return other.name == name || other.is_type(type.id());
  };
  std::unique_ptr<Announced> added;
  std::atomic<const Announced*>& head = announced();
  const Announced* first = head.load(std::memory_order_acquire);
  do {
    if (const ExceptionType* other = find_if(conflicts)) {
      if (other->is_type(type.id()) && (unnamed || other->name == name)) return true;
      throw std::invalid_argument(
          "register_exception: " + readable_name(type.id()) + " was to be announced as '" + name +
          "', but " + readable_name(other->id()) + " is known as '" + std::string(other->name) +
          "'; give each type one name, the same in every place");
    }
    if (!added) {
      added = std::make_unique<Announced>(Announced{type, name, nullptr});
      added->type.name = added->name;
    }
    added->next = first;
  } while (!head.compare_exchange_weak(first, added.get(), std::memory_order_acq_rel));
  static_cast<void>(added.release());
  return true;
}

}  // namespace procession::detail
