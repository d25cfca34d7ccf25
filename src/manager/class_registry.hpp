#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
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

/// A client program, and the objects that it has, by its references to them (remote_wire.hpp).
/// Thread-safe: it has a connection for each thread.
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
  };
  struct Known {
    std::uint64_t first;     ///< reference by which the client got it
    std::size_t references;  ///< that it has
  };

  void drop(const std::vector<std::uint64_t>& gone);
  void call(Decoder& request, Encoder& reply);
  void give_value(Decoder& request, Encoder& reply);
  void give_object(Decoder& request, Encoder& reply);
  void keep(std::uint64_t reference, const detail::ServedPtr& object, const SentMark& wanted,
            Encoder& reply);
  [[nodiscard]] Entry find(std::uint64_t reference);

  const Registry& registry_;
  Shares& shares_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> references_;
  std::unordered_map<const detail::Served*, Known> objects_;
  /// Given back, and not known: the requests for those objects may be on their way yet, on
  /// connections that the client has given up.
  std::unordered_set<std::uint64_t> unknown_;
};

}  // namespace procession::manager
