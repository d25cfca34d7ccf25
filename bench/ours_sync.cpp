// Locks, and arrays that are handed to another process.

#include "ours.hpp"

namespace mp = procession;

namespace {

void lock_and_unlock(const mp::Lock& lock, long& count, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    lock.lock();
    ++count;
    lock.unlock();
  }
}

void uncontended(std::size_t times) {
  static const mp::Lock lock;
  static const mp::Array<long> count(1);
  lock_and_unlock(lock, count[0], times);
}

/// A program's own fork has the handles too.
void contended(std::size_t times) {
  static const mp::Lock lock;
  static const mp::Array<long> count(1);
  static const contestant::Rival rival([](std::size_t n) { lock_and_unlock(lock, count[0], n); });
  rival.begin(times);
  lock_and_unlock(lock, count[0], times);
  rival.end();
}

contestant::Operation hand_over(std::size_t size) {
  return [size](std::size_t times) {
    static mp::Pool pool(1);
    static const mp::Array<std::byte> array(size);
    for (std::size_t i = 0; i < times; ++i) {
      check(pool.apply(
                [](const mp::Array<std::byte>& all) {
                  all[0] = all[all.size() - 1];
                  return all.size();
                },
                array) == size);
    }
  };
}

}  // namespace

Operations sync_operations() {
  return {{"lock", uncontended},
          {"lock-contended", contended},
          {"array-1K", hand_over(std::size_t{1} << 10)},
          {"array-1G", hand_over(std::size_t{1} << 30)}};
}
