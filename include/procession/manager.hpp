/// Objects that live in a process of their own, and that any process of the tree can call.
///
///     mp::Manager manager;
///     mp::DictProxy<std::string, int> ages = manager.dict<std::string, int>();
///     mp::Process process(fill, ages);       // sent like any handle
///     ...
///     ages.get("bob");
///     mp::Proxy<Counter> counter = manager.create<Counter>(10);  // a class of the program's own
///     counter.call<&Counter::add>(3);
///
/// What shares memory (Value, Array, Queue, the locks) is faster by far and needs no manager: use
/// one for containers, for classes of any kind, and across hosts.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "procession/context.hpp"
#include "procession/detail/manager_core.hpp"
#include "procession/manager_dict.hpp"
#include "procession/manager_list.hpp"
#include "procession/manager_value.hpp"
#include "procession/proxy.hpp"

namespace procession {

/// What may be said of a manager before its server starts.
struct ManagerOptions {
  std::optional<StartMethod> start_method = {};  ///< empty: `get_start_method()`
};

/// A server process with its objects.
///
/// The server ends with this object, and with the process that made it, also when that is killed;
/// the objects are lost then, and calls of their proxies throw. Move-only; every member may be
/// called from any thread of the process that made it. Python:
/// `multiprocessing.Manager`, `SyncManager`.
class Manager {
 public:
  /// Starts the server. Throws as Process::start does.
  explicit Manager(const ManagerOptions& options = {})
      : core_(detail::start_manager(options.start_method)) {}
  Manager(Manager&& other) noexcept = default;
  /// Ends the server that this object had.
  Manager& operator=(Manager&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~Manager() { detail::end_manager(core_); }

  /// Has the server make a T of `args`, which are encoded as those of a task are. Throws what the
  /// constructor throws, with its type; as Proxy::call does otherwise. Python: `register`, and the
  /// method that it makes.
  template <class T, class... Args>
  [[nodiscard]] Proxy<T> create(const Args&... args) const {
    static_assert((detail::Sendable<detail::Kept<const Args&>> && ...),
                  "procession: an argument of this constructor cannot be sent; see codec.hpp");
    static_assert(std::is_constructible_v<T, detail::Kept<const Args&>...>,
                  "procession: the class has no constructor that takes these arguments");
    return Proxy<T>(detail::make_served<T>(block(), args...));
  }

  /// A dictionary with these items. Throws as `create` does, and so do the next ones. Python:
  /// `dict()`.
  template <class K, class V>
  [[nodiscard]] DictProxy<K, V> dict(const std::vector<std::pair<K, V>>& items = {}) const {
    return make<DictProxy<K, V>, detail::ServedDict<K, V>>(items);
  }
  /// A list of these elements. Python: `list()`.
  template <class T>
  [[nodiscard]] ListProxy<T> list(const std::vector<T>& elements = {}) const {
    return make<ListProxy<T>, detail::ServedList<T>>(elements);
  }
  /// A set of these elements. Python: `set()`.
  template <class T>
  [[nodiscard]] SetProxy<T> set(const std::vector<T>& elements = {}) const {
    return make<SetProxy<T>, detail::ServedSet<T>>(elements);
  }
  /// A value. Python: `Value()`.
  template <class T>
  [[nodiscard]] ValueProxy<T> value(const T& initial = T()) const {
    return make<ValueProxy<T>, detail::ServedValue<T>>(initial);
  }
  /// An array of these elements. Python: `Array()`.
  template <class T>
  [[nodiscard]] ArrayProxy<T> array(const std::vector<T>& elements) const {
    return make<ArrayProxy<T>, detail::ServedArray<T>>(elements);
  }
  /// An empty namespace. Python: `Namespace()`.
  [[nodiscard]] NamespaceProxy ns() const {
    return make<NamespaceProxy, detail::ServedNamespace>();
  }

  /// How many objects the server has that somebody has a proxy of. Throws as Proxy::call does.
  /// Python: `_number_of_objects`.
  [[nodiscard]] std::size_t number_of_objects() const { return detail::count_objects(core_); }
  /// The server's process id. Throws `ProcessError` after `shutdown()`.
  [[nodiscard]] int pid() const { return detail::manager_pid(core_); }

  /// Ends the server; calls of its objects throw from then on, and those that are under way. A
  /// second call does nothing. Python: `shutdown()`.
  void shutdown() { detail::shut_down_manager(core_); }

 private:
  template <class P, class S, class... Args>
  [[nodiscard]] P make(const Args&... args) const {
    return detail::ProxyAccess::make<P>(detail::make_served<S>(block(), args...));
  }
  [[nodiscard]] const detail::Handle& block() const { return detail::manager_block(core_); }

  detail::ManagerPtr core_;
};

}  // namespace procession
