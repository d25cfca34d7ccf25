#include <algorithm>
#include <string>
#include <utility>

#include "manager/caller.hpp"
#include "procession/detail/served_sync.hpp"
#include "procession/error.hpp"

namespace procession::detail {

using manager::Caller;

/// A lock and who has it. What that one leaves behind, the next one is told.
class OwnedLock final : public manager::Belonging, public std::enable_shared_from_this<OwnedLock> {
 public:
  explicit OwnedLock(bool recursive) : recursive_(recursive) {}

  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

  bool acquire(std::unique_lock<std::mutex>& lock, Timeout timeout, unsigned levels = 1) {
    Caller& caller = Caller::current();
    if (owner_ == caller.number()) {
      if (!recursive_) return refuse_second(timeout);
      ++levels_;
      return true;
    }
    if (!free_.wait(lock, timeout, [&] { return owner_ == 0; })) return false;
    caller.take(shared_from_this());
    owner_ = caller.number();
    levels_ = levels;
    owner_died_ = std::exchange(left_behind_, false);
    return true;
  }

  void release(const char* asked) {
    check_owner(asked);
    if (--levels_ == 0) set_free();
  }

  /// All levels; how many there were.
  unsigned release_all() {
    const unsigned levels = std::exchange(levels_, 0);
    set_free();
    return levels;
  }

  void check_owner(const char* asked) const {
    if (owner_ == Caller::current().number()) return;
    throw ProcessError(
        "asked to " + std::string(asked) + " a lock of a manager, which " +
        (owner_ == 0 ? "nobody has locked" : "another thread or process has locked") +
        "; only the thread that locked it can");
  }

  [[nodiscard]] bool owner_died() const noexcept { return owner_died_; }

  void owner_left() noexcept override {
    const std::lock_guard guard(mutex_);
    owner_ = 0;
    levels_ = 0;
    left_behind_ = true;
    free_.one();
  }

 private:
  bool refuse_second(Timeout timeout) const {
    if (timeout == Duration::zero()) return false;
    throw ProcessError(
        "a lock of a manager was to be locked by the thread that has it already, which would wait "
        "for itself for ever; unlock it first, or use an RLock");
  }

  void set_free() noexcept {
    owner_ = 0;
    Caller::current().give(*this);
    free_.one();
  }

  const bool recursive_;
  std::mutex mutex_;
  Gate free_;
  std::uint64_t owner_ = 0;  ///< Caller::number
  unsigned levels_ = 0;
  bool owner_died_ = false;   ///< the one before the present owner
  bool left_behind_ = false;  ///< nobody has had it since its owner went
};

ServedLock::ServedLock(bool recursive) : lock_(std::make_shared<OwnedLock>(recursive)) {}

bool ServedLock::acquire(Timeout timeout) {
  std::unique_lock lock(lock_->mutex());
  return lock_->acquire(lock, timeout);
}

void ServedLock::release() {
  const CallGuard guard(lock_->mutex());
  lock_->release("unlock");
}

bool ServedLock::owner_died() const {
  const std::lock_guard guard(lock_->mutex());
  lock_->check_owner("look at the last owner of");
  return lock_->owner_died();
}

bool ServedCondition::wait(Timeout timeout) {
  std::unique_lock lock(lock_->mutex());
  lock_->check_owner("wait with");
  expect_caller();
  Waiter waiter;
  const auto place = waiters_.insert(waiters_.end(), &waiter);
  const unsigned levels = lock_->release_all();
  bool is_listed = true;
  try {
    if (!waiter.gate.wait(lock, timeout, [&] { return waiter.notified; })) waiters_.erase(place);
    is_listed = false;
    lock_->acquire(lock, std::nullopt, levels);
  } catch (...) {
    // It waits no more, whether it was told anything or not; who was not, is told in its place.
    if (!waiter.notified) {
      if (is_listed) waiters_.erase(place);
    } else if (!waiters_.empty()) {
      wake_first();
    }
    throw;
  }
  return waiter.notified;
}

void ServedCondition::wake_first() noexcept {
  Waiter& first = *waiters_.front();
  waiters_.pop_front();
  first.notified = true;
  first.gate.all();
}

void ServedCondition::notify(std::size_t n) {
  const CallGuard guard(lock_->mutex());
  lock_->check_owner("notify with");
  for (; n != 0 && !waiters_.empty(); --n)
    wake_first();
}

}  // namespace procession::detail
