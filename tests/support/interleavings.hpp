#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

/// Tries every interleaving of a few threads, and every death of one, on code that is a template
/// over what it stands on, and is given a model of that.
///
/// The threads of the model are contexts of one real thread. Each gives way before every access to
/// memory that others can see (`step`); the explorer then goes on with each of them in turn, from a
/// copy of all their stacks and of the memory that they share. A state in which it was before, by a
/// hash of all that, is not looked into again.
namespace interleavings {

inline constexpr std::size_t kThreads = 4;

/// What a thread of the model waits for, or why it does no more.
enum class State : std::uint32_t { absent, ready, locking, asleep, ended, dead };

struct Thread {
  ucontext_t context;
  State state;
  const void* on;  ///< locking: the mutex's owner; asleep: the word
  bool timed;      ///< asleep: its time-out may pass
  bool timed_out;  ///< it has
  bool guarded;    ///< it has locked a mutex, which guards what it reads
  bool alone;      ///< nobody sees what it does next: no other needs to be tried before
};

/// A model's whole state but for the stacks. What threads share lies in `shared`, and what they say
/// of themselves too.
struct World {
  std::array<Thread, kThreads> threads;
  std::uint32_t deaths;
  std::uint32_t early;   ///< sleeps that ended by themselves while others ran
  std::uint32_t rounds;  ///< of sleeps that ended by themselves when nothing else could happen
  alignas(64) std::array<std::byte, 3072> shared;
};

struct Scenario {
  std::function<void()> make = {};                  ///< in `shared`, zeroed
  std::vector<std::function<void()>> threads = {};  ///< what each does
  /// Nothing goes on any more; what is wrong, or nothing.
  std::function<std::string()> check = {};
  std::function<void(std::size_t)> on_death = {};  ///< of a thread, which was alive so far
  std::uint32_t deaths = 0;                        ///< at most
  std::uint32_t early = 0;                         ///< at most
};

class Explorer {
 public:
  /// What is wrong, with the way that leads there; empty: nothing.
  std::string explore(const Scenario& scenario);
  [[nodiscard]] std::size_t states() const { return visited_.size(); }

  // ---- for models, called by a thread of the model --------------------------------------------

  static Explorer& current() { return *running; }
  /// Whether a thread of a model calls.
  static bool in_thread() { return running != nullptr && running->self_ < kThreads; }
  static std::size_t self() { return running->self_; }
  static Thread& mine() { return running->world_.threads[running->self_]; }
  static World& world() { return running->world_; }

  /// Others may come in between, and the thread may die.
  static void step() {
    if (in_thread()) running->give_way(State::ready, nullptr);
  }
  /// The same before an access under a mutex to what is never accessed without: only its death is
  /// tried there.
  static void step_alone() {
    if (!in_thread() || running->world_.deaths == running->scenario_->deaths) return;
    mine().alone = true;
    running->give_way(State::ready, nullptr);
    mine().alone = false;
  }
  /// Before a word is changed, or read without a mutex.
  static void step_to(const void* word) {
    if (!in_thread()) return;
    if (!mine().guarded) {
      if (running->open_.insert(word).second) running->more_open_ = true;
      step();
    } else if (running->open_.count(word) != 0) {
      step();
    } else {
      step_alone();
    }
  }
  /// Until the mutex with this owner is free.
  static void step_locking(const std::uint32_t* owner) {
    if (in_thread()) running->give_way(State::locking, owner);
  }
  /// Until it is woken, its time passes, or the sleep ends by itself. False: its time has passed.
  static bool sleep(const void* word, bool timed) {
    mine().timed = timed;
    running->give_way(State::asleep, word);
    return !mine().timed_out;
  }
  static void wake(const void* word, int most) {
    for (Thread& thread : running->world_.threads) {
      if (most > 0 && thread.state == State::asleep && thread.on == word) {
        thread.state = State::ready;
        thread.timed_out = false;
        --most;
      }
    }
  }
  /// Whether a mutex of this owner is somebody's who lives.
  static bool is_held(std::uint32_t owner) {
    if (owner == 0) return false;
    const State state = running->world_.threads[owner - 1].state;
    return state != State::ended && state != State::dead;
  }

 private:
  enum class What : std::uint8_t { step, time_out, nap, death };
  struct Choice {
    std::size_t thread;
    What what;
  };
  static constexpr std::size_t kStack = 64 * 1024;
  static constexpr std::size_t kLeft = 4 * 1024;
  struct Stack {
    alignas(64) std::array<std::byte, kStack> bytes;
  };
  struct Copy {
    World world;
    std::array<std::vector<std::byte>, kThreads> stacks;
    std::array<std::uint64_t, kThreads> local;
  };

  static inline Explorer* running = nullptr;

  static std::uint64_t mixed(std::uint64_t hash, std::uint64_t more) {
    hash = (hash ^ more) * 0x9e37'79b9'7f4a'7c15U;
    return hash ^ (hash >> 29);
  }
  static std::uint64_t mixed_bytes(std::uint64_t hash, const std::byte* from, std::size_t size);
  static void begin();

  void give_way(State state, const void* on);
  void start(std::size_t thread);
  void go_on(std::size_t thread);
  [[nodiscard]] std::vector<Choice> choices() const;
  void apply(Choice choice);
  [[nodiscard]] std::uint64_t hash() const;
  void save(Copy& copy) const;
  void restore(const Copy& copy);
  void look_into();
  /// Nothing can happen but that sleeps end by themselves.
  void at_rest();
  void fail(const std::string& what);
  [[nodiscard]] std::uint32_t ended() const;

  const Scenario* scenario_ = nullptr;
  World world_{};
  std::vector<Stack> stacks_ = std::vector<Stack>(kThreads);
  std::array<std::uint64_t, kThreads> local_{};  ///< hashes of their stacks and registers
  std::array<std::size_t, kThreads> tops_{};     ///< the lowest byte of each stack that is in use
  ucontext_t main_{};
  std::size_t self_ = kThreads;
  std::unordered_set<std::uint64_t> visited_;
  std::unordered_set<const void*> open_;  ///< words that were accessed without a mutex
  bool more_open_ = false;                ///< found out on the way, which then starts anew
  std::vector<Choice> way_;
  std::string failed_;
};

inline void Explorer::begin() {
  running->scenario_->threads[self()]();
  mine().state = State::ended;
  mine().on = nullptr;
  ::swapcontext(&mine().context, &running->main_);
}

inline void Explorer::give_way(State state, const void* on) {
  const std::size_t thread = self_;
  Thread& me = world_.threads[thread];
  me.state = state;
  me.on = on;
  // All frames above this one, and room for what swapcontext has below it.
  const auto* const here = static_cast<std::byte*>(__builtin_frame_address(0));
  tops_[thread] = static_cast<std::size_t>(here - stacks_[thread].bytes.data()) - 1024;
  self_ = kThreads;
  ::swapcontext(&me.context, &main_);
}

inline void Explorer::start(std::size_t thread) {
  Thread& one = world_.threads[thread];
  one.state = State::ready;
  ::getcontext(&one.context);
  one.context.uc_stack.ss_sp = stacks_[thread].bytes.data();
  one.context.uc_stack.ss_size = kStack;
  one.context.uc_link = nullptr;
  ::makecontext(&one.context, &Explorer::begin, 0);
  tops_[thread] = kStack - 2048;
}

inline void Explorer::go_on(std::size_t thread) {
  world_.threads[thread].state = State::ready;
  self_ = thread;
  // What calls that are over have left behind would tell states apart that are the same.
  std::byte* const stack = stacks_[thread].bytes.data();
  std::memset(stack + tops_[thread] - kLeft, 0, kLeft);
  ::swapcontext(&main_, &world_.threads[thread].context);
  self_ = kThreads;
  const Thread& one = world_.threads[thread];
  local_[thread] = 0;
  if (one.state == State::ended) return;
  std::uint64_t registers = 0;
  static_assert(sizeof one.context.uc_mcontext % 8 == 0);
  registers = mixed_bytes(registers, reinterpret_cast<const std::byte*>(&one.context.uc_mcontext),
                          sizeof one.context.uc_mcontext);
  local_[thread] = mixed_bytes(registers, stack + tops_[thread], (kStack - tops_[thread]) / 8 * 8);
}

inline std::vector<Explorer::Choice> Explorer::choices() const {
  std::vector<Choice> all;
  for (std::size_t i = 0; i < kThreads; ++i) {
    const Thread& thread = world_.threads[i];
    const bool asleep = thread.state == State::asleep;
    const bool able =
        thread.state == State::ready ||
        (thread.state == State::locking && !is_held(*static_cast<const std::uint32_t*>(thread.on)));
    if (able && thread.alone) {
      all = {{i, What::step}};
      if (world_.deaths < scenario_->deaths) all.push_back({i, What::death});
      return all;
    }
    if (able) all.push_back({i, What::step});
    if (asleep && thread.timed) all.push_back({i, What::time_out});
    if (asleep && world_.early < scenario_->early) all.push_back({i, What::nap});
    if ((able || asleep) && world_.deaths < scenario_->deaths) all.push_back({i, What::death});
  }
  return all;
}

inline void Explorer::apply(Choice choice) {
  Thread& thread = world_.threads[choice.thread];
  switch (choice.what) {
    case What::death:
      if (scenario_->on_death) scenario_->on_death(choice.thread);
      thread.state = State::dead;
      thread.on = nullptr;
      local_[choice.thread] = 0;
      ++world_.deaths;
      world_.rounds = 0;
      return;
    case What::time_out:
      thread.timed_out = true;
      break;
    case What::nap:
      thread.timed_out = false;
      ++world_.early;
      break;
    case What::step:
      break;
  }
  go_on(choice.thread);
}

inline std::uint64_t Explorer::hash() const {
  std::uint64_t hash = mixed(world_.deaths, world_.early << 8 | world_.rounds);
  for (std::size_t i = 0; i < kThreads; ++i) {
    const Thread& thread = world_.threads[i];
    hash = mixed(hash, static_cast<std::uint64_t>(thread.state) << 2 |
                           static_cast<std::uint64_t>(thread.timed) << 1 |
                           static_cast<std::uint64_t>(thread.timed_out));
    hash = mixed(hash, reinterpret_cast<std::uintptr_t>(thread.on));
    hash = mixed(hash, local_[i]);
  }
  return mixed_bytes(hash, world_.shared.data(), world_.shared.size());
}

inline std::uint64_t Explorer::mixed_bytes(std::uint64_t hash, const std::byte* from,
                                           std::size_t size) {
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + i, 8);
    hash = mixed(hash, word);
  }
  return hash;
}

inline void Explorer::save(Copy& copy) const {
  copy.world = world_;
  copy.local = local_;
  for (std::size_t i = 0; i < kThreads; ++i) {
    const State state = world_.threads[i].state;
    if (state == State::absent || state == State::ended || state == State::dead) continue;
    copy.stacks[i].assign(stacks_[i].bytes.begin() + static_cast<std::ptrdiff_t>(tops_[i]),
                          stacks_[i].bytes.end());
  }
}

inline void Explorer::restore(const Copy& copy) {
  world_ = copy.world;
  local_ = copy.local;
  for (std::size_t i = 0; i < kThreads; ++i) {
    if (copy.stacks[i].empty()) continue;
    tops_[i] = kStack - copy.stacks[i].size();
    std::memcpy(&stacks_[i].bytes[tops_[i]], copy.stacks[i].data(), copy.stacks[i].size());
  }
}

inline std::uint32_t Explorer::ended() const {
  std::uint32_t count = 0;
  for (const Thread& thread : world_.threads)
    count += thread.state == State::ended ? 1 : 0;
  return count;
}

inline void Explorer::fail(const std::string& what) {
  static constexpr std::array kWhat{"", " its time passes", " its sleep ends", " dies"};
  failed_ = what + "\n  by steps of threads:";
  for (const Choice& choice : way_)
    failed_ +=
        " " + std::to_string(choice.thread) + kWhat.at(static_cast<std::size_t>(choice.what));
}

inline void Explorer::at_rest() {
  constexpr std::uint32_t kRounds = 2;
  bool asleep = false;
  for (const Thread& thread : world_.threads)
    asleep = asleep || thread.state == State::asleep;
  if (!asleep || world_.rounds == kRounds) {
    for (const Thread& thread : world_.threads) {
      if (thread.state == State::locking) return fail("a thread waits for a mutex for ever");
    }
    const std::string wrong = scenario_->check ? scenario_->check() : std::string();
    if (!wrong.empty()) fail(wrong);
    return;
  }
  ++world_.rounds;
  for (Thread& thread : world_.threads) {
    if (thread.state != State::asleep) continue;
    thread.state = State::ready;
    thread.timed_out = false;
  }
  look_into();
}

inline void Explorer::look_into() {
  if (!failed_.empty() || more_open_ || !visited_.insert(hash()).second) return;
  const std::vector<Choice> all = choices();
  bool goes_on = false;
  for (const Choice& choice : all)
    goes_on = goes_on || choice.what == What::step || choice.what == What::time_out;
  Copy copy;
  save(copy);
  for (const Choice& choice : all) {
    way_.push_back(choice);
    apply(choice);
    if (world_.rounds > 0 && world_.deaths == 0 &&
        world_.threads[choice.thread].state == State::ended) {
      return fail("a wake-up was lost: a thread ends because a sleep ended by itself");
    }
    look_into();
    way_.pop_back();
    restore(copy);
    if (!failed_.empty() || more_open_) return;
  }
  if (!goes_on) at_rest();
}

inline std::string Explorer::explore(const Scenario& scenario) {
  scenario_ = &scenario;
  running = this;
  open_.clear();
  do {
    world_ = World{};
    self_ = kThreads;
    visited_.clear();
    way_.clear();
    failed_.clear();
    more_open_ = false;
    scenario.make();
    for (std::size_t i = 0; i < scenario.threads.size(); ++i)
      start(i);
    look_into();
  } while (more_open_);
  running = nullptr;
  return failed_;
}

}  // namespace interleavings
