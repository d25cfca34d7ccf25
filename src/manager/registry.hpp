#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "manager/remote_wire.hpp"
#include "procession/detail/registry.hpp"

namespace procession::manager {

/// What a server lets other programs call. Changed before it serves, and then by nobody.
class Registry {
 public:
  /// Throw std::invalid_argument for a name that is taken.
  void add(detail::RegisteredType type);
  void add(detail::RegisteredFunction function);

  /// Null when there is none of that name.
  [[nodiscard]] const detail::RegisteredFunction* function(const std::string& name) const;
  /// That which is registered under this name, or whose own name it is.
  [[nodiscard]] const detail::RegisteredType* type(const std::string& name) const;
  [[nodiscard]] const detail::RegisteredType* type(std::uint64_t fingerprint) const;
  /// All names, for the texts of errors.
  [[nodiscard]] std::string names() const;

 private:
  std::map<std::string, detail::RegisteredType> types_;
  std::map<std::string, detail::RegisteredFunction> functions_;
};

/// Objects that functions gave out, so that an object is the same one each time. Thread-safe.
class Shares {
 public:
  detail::ServedPtr served(const detail::Given& given);

 private:
  std::mutex mutex_;
  std::map<std::pair<void*, std::uint64_t>, std::weak_ptr<detail::Served>> shares_;
};

/// A client program, and the objects that it has. Thread-safe: it has a connection for each thread.
class RemoteSession {
 public:
  RemoteSession(const Registry& registry, Shares& shares) : registry_(registry), shares_(shares) {}

  /// Does what a request asks for. Throws what the client is to be thrown; DecodeError for one that
  /// is damaged.
  void answer(Decoder& request, Encoder& reply);

 private:
  struct Entry {
    detail::ServedPtr object;
    const detail::RegisteredType* type;
    std::uint64_t count;  ///< how often it was given to the client
  };

  void drop(const std::vector<std::uint64_t>& gone);
  void call(Decoder& request, Encoder& reply);
  void give_value(Decoder& request, Encoder& reply);
  void give_object(Decoder& request, Encoder& reply);
  void keep(const detail::ServedPtr& object, const SentMark& wanted, Encoder& reply);
  [[nodiscard]] Entry find(std::uint64_t number);

  const Registry& registry_;
  Shares& shares_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, Entry> objects_;
  std::unordered_map<const detail::Served*, std::uint64_t> numbers_;
};

}  // namespace procession::manager
