#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "procession/procession.hpp"
#include "support/sanitized.hpp"

// What tasks do.
namespace torture_test {

namespace mp = procession;
using namespace std::chrono_literals;

using Random = std::mt19937_64;
inline std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

enum class Kind : std::uint8_t {
  instant,
  lasting,  ///< some milliseconds
  huge,     ///< a result of up to some megabytes
  nesting,  ///< uses a pool of its own
  throwing,
  exiting,
  aborting,
  crashing,
  growing,  ///< past the memory limit of its worker
  hanging,  ///< for ever; a thread, which cannot be stopped, far longer than it may
};

struct Work {
  Kind kind = Kind::instant;
  std::uint32_t index = 0;   ///< in the ledger
  std::uint32_t amount = 0;  ///< what it means is the kind's affair
  bool on_thread = false;
  bool timed = false;
};

struct Answer {
  std::uint32_t index = 0;
  std::vector<std::uint64_t> load;

  bool operator==(const Answer&) const = default;
};

/// How often each task of a round began, and came to its end.
struct Ledger {
  static constexpr std::size_t kRoom = 1U << 14U;

  mp::Array<std::uint32_t> starts;
  mp::Array<std::uint32_t> ends;
};

/// Announced.
class Torment : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
inline const bool torment_known = mp::register_exception<Torment>();

/// Not announced.
class Unheard : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Far above what a worker has from the start, with a sanitizer too.
inline constexpr std::size_t kMemoryLimit = (mp::kSanitized ? 600 : 100) * (std::size_t{1} << 20U);

inline std::string own_text(const Work& work) { return "own " + std::to_string(work.index); }

inline Answer expected_answer(const Work& work) {
  Answer answer{work.index, {}};
  if (work.kind == Kind::huge) answer.load.assign(work.amount, work.index);
  if (work.kind == Kind::nesting) answer.load = {1, 4, 9};
  return answer;
}

[[noreturn]] inline void throw_own(const Work& work) {
  switch (work.amount % 3) {
    case 0:
      throw std::invalid_argument(own_text(work));
    case 1:
      throw Torment(own_text(work));
    default:
      throw Unheard(own_text(work));
  }
}

[[noreturn]] inline void hang() {
  for (;;)
    std::this_thread::sleep_for(1s);
}

[[noreturn]] inline void grow() {
  std::vector<std::unique_ptr<std::vector<char>>> kept;
  for (std::size_t bytes = 0; bytes < 2 * kMemoryLimit; bytes += kept.back()->size())
    kept.push_back(std::make_unique<std::vector<char>>(kMemoryLimit / 8, 'x'));
  hang();
}

inline void act(const Work& work) {
  switch (work.kind) {
    case Kind::lasting:
      return std::this_thread::sleep_for(std::chrono::microseconds(work.amount));
    case Kind::nesting: {
      mp::Pool pool(1 + work.amount % 2);
      const std::vector<int> squares = pool.map([](int x) { return x * x; }, {1, 2, 3});
      if (squares != std::vector<int>{1, 4, 9}) throw std::logic_error("a pool in a pool erred");
      if (work.amount % 3 == 0) return;
      pool.close();
      return pool.join();
    }
    case Kind::throwing:
      throw_own(work);
    case Kind::exiting:
      if (work.amount % 2 == 0) std::exit(3);
      ::_exit(3);
    case Kind::aborting:
      std::signal(SIGABRT, SIG_DFL);  // as without a sanitizer's handlers
      std::abort();
    case Kind::crashing:
      std::signal(SIGSEGV, SIG_DFL);
      ::raise(SIGSEGV);
      return;
    case Kind::growing:
      grow();
    case Kind::hanging:
      if (!work.on_thread) hang();
      return std::this_thread::sleep_for(std::chrono::milliseconds(work.amount));
    default:
      return;
  }
}

inline Answer perform(const Ledger& ledger, const Work& work) {
  std::atomic_ref(ledger.starts[work.index]).fetch_add(1);
  act(work);
  std::atomic_ref(ledger.ends[work.index]).fetch_add(1);
  return expected_answer(work);
}

/// Whether the task, left alone, ends with a value.
inline bool is_good(Kind kind) {
  return kind == Kind::instant || kind == Kind::lasting || kind == Kind::huge ||
         kind == Kind::nesting;
}

/// What a task of such a pool is to do.
struct Mood {
  bool on_threads = false;
  bool limits_memory = false;
  bool calm = false;   ///< nothing but values
  bool timed = false;  ///< tasks that hang may be among them
};

inline Kind random_kind(Random& random, const Mood& mood) {
  const auto chance = below(random, 1000);
  if (chance < 400 || (mood.calm && chance >= 600)) return Kind::instant;
  if (chance < 550) return Kind::lasting;
  if (chance < 590) return Kind::huge;
  if (chance < 600) return Kind::nesting;
  if (chance < 700) return Kind::throwing;
  if (mood.on_threads) return mood.timed && chance < 720 ? Kind::hanging : Kind::instant;
  if (chance < 730) return Kind::exiting;
  if (chance < 760) return Kind::aborting;
  if (chance < 790) return Kind::crashing;
  if (chance < 800) return mood.limits_memory ? Kind::growing : Kind::instant;
  if (chance < 820) return mood.timed ? Kind::hanging : Kind::lasting;
  return Kind::instant;
}

inline Work random_work(Random& random, const Mood& mood, std::uint32_t index) {
  Work work{random_kind(random, mood), index, static_cast<std::uint32_t>(below(random, 3000)),
            mood.on_threads, mood.timed};
  if (work.kind == Kind::huge) {
    work.amount = static_cast<std::uint32_t>(below(random, 8) == 0 ? below(random, 500'000)
                                                                   : below(random, 5'000));
  }
  // So much longer than the time-out that a busy machine's supervisor is there in between.
  if (work.kind == Kind::hanging) work.amount = mp::kSanitized ? 8000 : 2000;
  return work;
}

}  // namespace torture_test
