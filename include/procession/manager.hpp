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
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "procession/context.hpp"
#include "procession/detail/collect.hpp"
#include "procession/detail/manager_core.hpp"
#include "procession/manager_dict.hpp"
#include "procession/manager_list.hpp"
#include "procession/manager_queue.hpp"
#include "procession/manager_sync.hpp"
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
  /// Ends the server that this object had; what it was connected to stays as long as proxies do.
  Manager& operator=(Manager&& other) noexcept {
    Manager ended(std::move(*this));
    core_ = std::move(other.core_);
    remote_ = std::move(other.remote_);
    return *this;
  }
  ~Manager() { detail::end_manager(core_); }

  /// Connects to the ManagerServer of another program, with its key, which stands for that of the
  /// options. What is registered there can
  /// be had by `get`; `lock()` and its kin, and what makes objects of registered types, make them
  /// there. Throws as Client does. Python: `m = MyManager(address, authkey); m.connect()`.
  [[nodiscard]] static Manager connect(const Address& address, const AuthKey& authkey,
                                       ClientOptions options = {}) {
    return Manager(detail::connect_manager(address, authkey, std::move(options)));
  }
  /// Where the server that this is connected to listens. Throws `ProcessError` for a server of this
  /// tree, which listens nowhere.
  [[nodiscard]] Address address() const { return detail::remote_address(remote("its address")); }

  /// What the server has registered under this name: the result of a function, or a new object of a
  /// type, of these arguments. `P` is the class of the proxy, as in
  /// `get<QueueProxy<std::string>>("jobs")`, or the type of the value that the function gives.
  /// Throws what it throws there; as Proxy::call does otherwise. Python: `manager.name(args)`.
  template <class P, class... Args>
  P get(std::string_view name, const Args&... args) const {
    if constexpr (detail::ProxyClass<P>) {
      if constexpr (detail::check_encodable<detail::Kept<const Args&>...>()) {
        return obtain<P>(name, args...);
      }
    } else if constexpr (detail::check_encodable<P, detail::Kept<const Args&>...>()) {
      return detail::value_of<P>(remote(name), name, args...);
    }
  }

  /// Has the server make a T of `args`, which are encoded as those of a task are. Throws what the
  /// constructor throws, with its type; as Proxy::call does otherwise. Python: `register`, and the
  /// method that it makes.
  template <class T, class... Args>
  [[nodiscard]] Proxy<T> create(const Args&... args) const {
    static_assert((detail::Sendable<detail::Kept<const Args&>> && ...),
                  "procession: an argument of this constructor cannot be sent; see codec.hpp");
    static_assert(std::is_constructible_v<T, detail::Kept<const Args&>...>,
                  "procession: the class has no constructor that takes these arguments");
    return make<Proxy<T>, T>(args...);
  }

  /// A dictionary with these items. Throws as `create` does, and so do the next ones. Python:
  /// `dict()`.
  template <class K, class V>
  [[nodiscard]] DictProxy<K, V> dict(const std::vector<std::pair<K, V>>& items = {}) const {
    if constexpr (detail::check_sendable<K, V>()) {
      return make<DictProxy<K, V>, detail::ServedDict<K, V>>(items);
    }
  }
  /// A dictionary with the pairs of any range, a proxy too.
  template <class K, class V, detail::OtherRangeOf<std::pair<K, V>> Range>
  [[nodiscard]] DictProxy<K, V> dict(Range&& items) const {
    return dict<K, V>(detail::collect<std::pair<K, V>>(std::forward<Range>(items)));
  }
  /// A list of these elements. Python: `list()`.
  template <class T>
  [[nodiscard]] ListProxy<T> list(const std::vector<T>& elements = {}) const {
    if constexpr (detail::check_sendable<T>()) {
      return make<ListProxy<T>, detail::ServedList<T>>(elements);
    }
  }
  /// A list of the elements of any range, a proxy too.
  template <class T, detail::OtherRangeOf<T> Range>
  [[nodiscard]] ListProxy<T> list(Range&& elements) const {
    return list<T>(detail::collect<T>(std::forward<Range>(elements)));
  }
  /// A set of these elements. Python: `set()`.
  template <class T>
  [[nodiscard]] SetProxy<T> set(const std::vector<T>& elements = {}) const {
    if constexpr (detail::check_sendable<T>()) {
      return make<SetProxy<T>, detail::ServedSet<T>>(elements);
    }
  }
  /// A set of the elements of any range, a proxy too.
  template <class T, detail::OtherRangeOf<T> Range>
  [[nodiscard]] SetProxy<T> set(Range&& elements) const {
    return set<T>(detail::collect<T>(std::forward<Range>(elements)));
  }
  /// A value. Python: `Value()`.
  template <class T>
  [[nodiscard]] ValueProxy<T> value(const T& initial = T()) const {
    if constexpr (detail::check_sendable<T>()) {
      return make<ValueProxy<T>, detail::ServedValue<T>>(initial);
    }
  }
  /// An array of these elements. Python: `Array()`.
  template <class T>
  [[nodiscard]] ArrayProxy<T> array(const std::vector<T>& elements) const {
    if constexpr (detail::check_sendable<T>()) {
      return make<ArrayProxy<T>, detail::ServedArray<T>>(elements);
    }
  }
  /// An array of the elements of any range, a proxy too.
  template <class T, detail::OtherRangeOf<T> Range>
  [[nodiscard]] ArrayProxy<T> array(Range&& elements) const {
    return array<T>(detail::collect<T>(std::forward<Range>(elements)));
  }
  /// An empty namespace. Python: `Namespace()`.
  [[nodiscard]] NamespaceProxy ns() const {
    return make<NamespaceProxy, detail::ServedNamespace>();
  }

  /// A queue for `maxsize` items at most; 0: without a bound. Python: `Queue()`, `JoinableQueue()`.
  template <class T>
  [[nodiscard]] QueueProxy<T> queue(std::size_t maxsize = 0) const {
    if constexpr (detail::check_sendable<T>()) {
      return make<QueueProxy<T>, detail::ServedQueue<T>>(maxsize);
    }
  }
  /// A lock. Python: `Lock()`.
  [[nodiscard]] LockProxy lock() const { return make<LockProxy, detail::ServedLock>(); }
  /// A recursive lock. Python: `RLock()`.
  [[nodiscard]] RLockProxy rlock() const { return make<RLockProxy, detail::ServedRLock>(); }
  /// A condition with a lock of its own. Python: `Condition()`.
  [[nodiscard]] ConditionProxy condition() const {
    return make<ConditionProxy, detail::ServedCondition>();
  }
  /// A semaphore with so many permits. Throws `std::invalid_argument` as that of Semaphore, too.
  /// Python: `Semaphore()`.
  [[nodiscard]] SemaphoreProxy semaphore(std::int64_t value = 1) const {
    return make<SemaphoreProxy, detail::ServedSemaphore>(value);
  }
  /// The same, bounded. Python: `BoundedSemaphore()`.
  [[nodiscard]] BoundedSemaphoreProxy bounded_semaphore(std::int64_t value = 1) const {
    return make<BoundedSemaphoreProxy, detail::ServedBoundedSemaphore>(value);
  }
  /// An event that is not set. Python: `Event()`.
  [[nodiscard]] EventProxy event() const { return make<EventProxy, detail::ServedEvent>(); }
  /// A barrier for `parties`; `action` runs in the server when all are there. Throws
  /// `std::invalid_argument` for 0 parties, too. Python: `Barrier()`.
  [[nodiscard]] BarrierProxy barrier(std::size_t parties, Function<void()> action = {}) const {
    return make<BarrierProxy, detail::ServedBarrier>(parties, action);
  }

  /// How many objects the server has that somebody has a proxy of; of a server of another program,
  /// those that this one has. Throws as Proxy::call does.
  /// Python: `_number_of_objects`.
  [[nodiscard]] std::size_t number_of_objects() const {
    return remote_ != nullptr ? detail::count_remote(remote_) : detail::count_objects(core_);
  }
  /// The server's process id. Throws `ProcessError` after `shutdown()`, and for the server of
  /// another program.
  [[nodiscard]] int pid() const {
    if (remote_ != nullptr) detail::throw_not_local("the process id of its server");
    return detail::manager_pid(core_);
  }

  /// Ends the server, or the connections to that of another program; calls of its objects throw
  /// from then on, and those that are under way. A second call does nothing. Python: `shutdown()`.
  void shutdown() {
    if (remote_ != nullptr) return detail::disconnect_manager(remote_);
    detail::shut_down_manager(core_);
  }

 private:
  explicit Manager(detail::RemoteClientPtr remote) : remote_(std::move(remote)) {}

  template <class P, class S, class... Args>
  [[nodiscard]] P make(const Args&... args) const {
    if (remote_ != nullptr) {
      return obtain<P>(type_name<S>(), args...);
    }
    return detail::ProxyAccess::make<P>(
        detail::make_served<S>(detail::manager_block(core_), args...));
  }
  template <class P, class... Args>
  [[nodiscard]] P obtain(std::string_view name, const Args&... args) const {
    using S = typename P::Object;
    return detail::ProxyAccess::make<P>(
        detail::ProxyCore(detail::remote_object<S>(remote(name), name, args...)));
  }
  /// Throws ProcessError for a server of this tree, which has not `what`.
  [[nodiscard]] const detail::RemoteClientPtr& remote(std::string_view what) const {
    if (remote_ == nullptr) detail::throw_not_remote(what);
    return remote_;
  }

  detail::ManagerPtr core_;
  detail::RemoteClientPtr remote_;
};

}  // namespace procession
