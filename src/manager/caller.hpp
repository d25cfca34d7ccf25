#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace procession::manager {

/// Something that a caller may have, and that is given back when it goes: a lock.
class Belonging {
 public:
  virtual ~Belonging() = default;
  /// Its owner has gone.
  virtual void owner_left() noexcept = 0;
};

/// Who calls the methods of objects: one thread of a client process, known by its connection.
class Caller {
 public:
  Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  /// Gives back what belongs to it.
  virtual ~Caller();

  /// No other caller of this process ever has the same.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Whether nobody waits for the result any more: the caller has ended, or its connection has.
  [[nodiscard]] virtual bool gone() noexcept = 0;

  void take(std::shared_ptr<Belonging> what) { belongings_.push_back(std::move(what)); }
  void give(const Belonging& what) noexcept;

  /// That of the call which this thread makes; a thread that makes none is one by itself.
  static Caller& current();

  /// To the end of the scope, the calls of this thread are a caller's.
  class Entered {
   public:
    explicit Entered(Caller& caller) noexcept;
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    ~Entered();

   private:
    Caller* const before_;
  };

 private:
  const std::uint64_t number_;
  std::vector<std::shared_ptr<Belonging>> belongings_;
};

/// What a call ends with when its caller has gone before the call could do anything, or while it
/// waited: nobody is there to be told.
struct CallerGone {};

}  // namespace procession::manager
