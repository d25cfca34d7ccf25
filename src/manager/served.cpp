#include <stdexcept>
#include <string>

#include "procession/detail/served_dict.hpp"
#include "procession/detail/served_list.hpp"
#include "procession/detail/served_namespace.hpp"
#include "procession/error.hpp"

namespace procession::detail {

void throw_no_key(const std::string& key) {
  throw KeyError("asked for the key " + key +
                 " of a dict, which has no such key; ask contains() first, or give get() what to "
                 "return then");
}

void throw_empty_dict() {
  throw KeyError("asked to take the last item out of a dict, which is empty");
}

std::size_t element_at(std::int64_t index, std::size_t size, const char* what) {
  const auto end = static_cast<std::int64_t>(size);
  if (index < -end || index >= end) {
    throw std::out_of_range("asked for element " + std::to_string(index) + " of " + what + " of " +
                            std::to_string(size) +
                            " elements; elements are 0, 1, and so on, the last one is -1");
  }
  return static_cast<std::size_t>(index < 0 ? index + end : index);
}

const ServedNamespace::Slot& ServedNamespace::find(const std::string& name) const {
  const auto found = slots_.find(name);
  if (found == slots_.end()) {
    throw KeyError("asked for \"" + name +
                   "\" of a namespace, which has no such name; set() it, or ask contains() first");
  }
  return found->second;
}

std::vector<std::string> ServedNamespace::names() const {
  std::vector<std::string> all;
  all.reserve(slots_.size());
  for (const auto& slot : slots_)
    all.push_back(slot.first);
  return all;
}

}  // namespace procession::detail
