#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "procession/detail/served.hpp"

namespace procession::detail {

/// What a NamespaceProxy is a proxy of.
class ServedNamespace {
 public:
  template <class T>
  const T& get(const std::string& name) const {
    const Slot& slot = find(name);
    if (slot.fingerprint != served_fingerprint<T>()) {
      throw_type_mismatch(type_name<T>(), slot.fingerprint, slot.type);
    }
    return *static_cast<const T*>(slot.value.get());
  }
  template <class T>
  void set(std::string name, T value) {
    slots_[std::move(name)] = {served_fingerprint<T>(), type_name<T>(),
                               std::make_shared<T>(std::move(value))};
  }
  bool contains(const std::string& name) const { return slots_.find(name) != slots_.end(); }
  bool erase(const std::string& name) { return slots_.erase(name) != 0; }
  std::vector<std::string> names() const;

 private:
  struct Slot {
    std::uint64_t fingerprint;
    std::string_view type;
    std::shared_ptr<void> value;
  };

  /// Throws KeyError.
  const Slot& find(const std::string& name) const;

  std::map<std::string, Slot> slots_;
};

}  // namespace procession::detail
