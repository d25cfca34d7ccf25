#pragma once

#include <cstddef>
#include <optional>

#include "procession/detail/served_queue.hpp"
#include "procession/detail/typed_proxy.hpp"
#include "procession/error.hpp"

namespace procession {

/// A queue in a manager's server, for any number of producers and consumers. Within one process
/// tree a Queue is faster by far. A client that is killed while it waits blocks nobody; the server
/// loses at most the item that it was handing to it.
///
/// A handle; as Proxy otherwise, also in what members throw. Python: `Manager().Queue()`, and
/// `JoinableQueue()`.
template <class T>
class QueueProxy : public detail::TypedProxy<detail::ServedQueue<T>> {
  using Served = detail::ServedQueue<T>;

 public:
  /// Names no queue; Manager::queue makes others.
  QueueProxy() = default;

  /// Appends an item, waiting while the queue is full. Throws `Full` when the time-out passes
  /// first; `ShutDown` after `shutdown()`.
  void put(const T& item, Timeout timeout = {}) const {
    this->template call<&Served::put>("put", item, timeout);
  }
  /// The same without waiting; whether there was room. Python: `put_nowait`.
  bool try_put(const T& item) const {
    try {
      put(item, Duration::zero());
      return true;
    } catch (const Full&) {
      return false;
    }
  }
  /// Takes the first item, waiting while there is none. Throws `Empty` when the time-out passes
  /// first; `ShutDown` when there is none and the queue was shut down.
  T get(Timeout timeout = {}) const { return this->template call<&Served::get>("get", timeout); }
  /// The same without waiting. Python: `get_nowait`.
  std::optional<T> try_get() const {
    try {
      return get(Duration::zero());
    } catch (const Empty&) {
      return std::nullopt;
    }
  }

  /// How many items are in it at this moment.
  [[nodiscard]] std::size_t size() const { return this->template call<&Served::size>("size"); }
  /// Whether there are none.
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Whether there are as many as there may be.
  [[nodiscard]] bool full() const { return this->template call<&Served::full>("full"); }
  /// From now on `put` throws `ShutDown`, and `get` does once there are no items.
  void shutdown() const { this->template call<&Served::shutdown>("shutdown"); }

  /// Says that an item that was taken is done with. Throws `ProcessError` when it is called more
  /// often than there were items.
  void task_done() const { this->template call<&Served::task_done>("task_done"); }
  /// Waits until all items that were put are done with; false when the time-out passes first.
  bool join(Timeout timeout = {}) const {
    return this->template call<&Served::join>("join", timeout);
  }

  /// Sends the handle.
  friend void encode(Encoder& encoder, const QueueProxy& queue) { queue.encode_handle(encoder); }
  /// Receives it.
  friend void decode(Decoder& decoder, QueueProxy& queue) { queue.decode_handle(decoder); }
};

template <class T>
inline constexpr bool detail::kIsHandle<QueueProxy<T>> = true;

}  // namespace procession
