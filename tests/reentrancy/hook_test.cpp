// Hooks of the codec, exceptions and destructors that call the pool whose they are.

#include <memory>

#include "support.hpp"

namespace reentrancy_test {
namespace {

/// The pool that hooks of the codec and exceptions use, in the process that owns it.
std::function<void()>& in_hooks() {
  static std::function<void()> use;
  return use;
}
std::atomic<int>& hooks_called() {
  static std::atomic<int> calls{0};
  return calls;
}
/// Where workers are threads, their hooks are left alone: all of them would wait for a worker.
std::thread::id& only_thread() {
  static std::thread::id thread;
  return thread;
}
void call_in_hook() {
  // Not in what the hook calls.
  thread_local bool inside = false;
  if (inside || !in_hooks()) return;
  if (only_thread() != std::thread::id() && only_thread() != std::this_thread::get_id()) return;
  inside = true;
  in_hooks()();
  ++hooks_called();
  inside = false;
}

/// A value whose hooks use the pool.
struct Nosy {
  int value = 0;

  friend void encode(mp::Encoder& encoder, const Nosy& nosy) {
    call_in_hook();
    mp::encode(encoder, nosy.value);
  }
  friend void decode(mp::Decoder& decoder, Nosy& nosy) {
    call_in_hook();
    mp::decode(decoder, nosy.value);
  }
};

Nosy twice_nosy(const Nosy& nosy) { return {2 * nosy.value}; }

/// An exception whose every function uses the pool.
class NosyError : public std::exception {
 public:
  NosyError() { call_in_hook(); }
  explicit NosyError(int value) : value_(value) {}
  NosyError(const NosyError& other) : std::exception(other), value_(other.value_) {
    call_in_hook();
  }
  NosyError& operator=(const NosyError&) = default;
  ~NosyError() override { call_in_hook(); }
  [[nodiscard]] const char* what() const noexcept override {
    call_in_hook();
    return "nosy";
  }
  [[nodiscard]] int value() const { return value_; }

  friend void encode(mp::Encoder& encoder, const NosyError& error) {
    mp::encode(encoder, error.value_);
  }
  friend void decode(mp::Decoder& decoder, NosyError& error) {
    call_in_hook();
    mp::decode(decoder, error.value_);
  }

 private:
  int value_ = 0;
};
const bool nosy_known = mp::register_exception<NosyError>();

int throw_nosy(int value) { throw NosyError(value); }
void throw_nosy_at_start() { throw NosyError(7); }

template <class Kind>
class Hooks : public testing::Test {
 protected:
  Hooks() {
    hooks_called() = 0;
    only_thread() = std::is_same_v<Kind, mp::Pool> ? std::thread::id() : std::this_thread::get_id();
    in_hooks() = [this] {
      use(pool);
      queue.put(1);
      EXPECT_EQ(queue.get(), 1);
    };
  }
  ~Hooks() override { in_hooks() = nullptr; }

  Kind pool{2};
  mp::Queue<int> queue;
};
TYPED_TEST_SUITE(Hooks, Kinds, KindNames);

TYPED_TEST(Hooks, OfTheCodecUseTheirPool) {
  EXPECT_EQ(this->pool.apply(twice_nosy, Nosy{4}).value, 8);
  EXPECT_EQ(this->pool.map(twice_nosy, std::vector<Nosy>(20, Nosy{1})).at(19).value, 2);
  EXPECT_EQ(this->pool.imap(twice_nosy, std::vector<Nosy>{{1}, {2}}).next().value, 2);
  const mp::Queue<Nosy> nosy_queue;
  nosy_queue.put({3});
  nosy_queue.put_many(std::vector<Nosy>{{4}, {5}});
  EXPECT_EQ(nosy_queue.get().value, 3);
  EXPECT_EQ(nosy_queue.get_many(9).size(), 2U);
  EXPECT_GT(hooks_called(), 5);
}

TYPED_TEST(Hooks, OfExceptionsUseTheirPool) {
  try {
    this->pool.apply(throw_nosy, 3);
    ADD_FAILURE() << "no exception";
  } catch (const NosyError& error) {
    EXPECT_EQ(error.value(), 3);
  }
  EXPECT_THROW(this->pool.map(throw_nosy, {1, 2, 3}), NosyError);
  EXPECT_THROW(this->pool.map(throw_nosy, {1, 2, 3}, {.chunksize = 1}), NosyError);
  auto results = this->pool.imap(throw_nosy, {1, 2});
  EXPECT_THROW(results.next(), NosyError);
  EXPECT_THROW(results.next(), NosyError);
  auto result = this->pool.apply_async(throw_nosy, 1);
  EXPECT_TRUE(result.wait());
  EXPECT_FALSE(result.successful());
  const mp::Event told;
  result.then([](int) {}, [&](const std::exception_ptr&) { told.set(); });
  told.wait();
  EXPECT_GT(hooks_called(), 0);
}

// Several threads ask for the same exception, which is decoded by any of them.
TYPED_TEST(Hooks, OfAnExceptionThatManyAskFor) {
  const auto result = this->pool.apply_async(throw_nosy, 5);
  std::vector<std::thread> threads;
  std::atomic<int> caught{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        result.get();
      } catch (const NosyError& error) {
        caught += error.value() == 5 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(caught, 4);
}

TEST(InitializerHooks, OfAnInitializersExceptionUseTheirPool) {
  mp::PoolOptions options{.processes = 1};
  options.initializer = throw_nosy_at_start;
  mp::Pool pool(options);
  in_hooks() = [&] {
    try {
      static_cast<void>(pool.pids());
      pool.apply(twice, 1);
    } catch (...) {
    }
  };
  EXPECT_THROW(pool.apply(twice, 1), NosyError);
  EXPECT_THROW(pool.apply(twice, 1), NosyError);
  in_hooks() = nullptr;
}

/// What a callback captured, and uses the pool as it goes.
struct Parting {
  std::function<void()> use;
  explicit Parting(std::function<void()> how) : use(std::move(how)) {}
  Parting(const Parting&) = delete;
  Parting& operator=(const Parting&) = delete;
  ~Parting() { use(); }
};

TYPED_TEST(Hooks, OfDestructorsUseTheirPool) {
  std::atomic<int> gone{0};
  const mp::Event end;
  const auto parting = [&] {
    return std::make_shared<Parting>([&] {
      use(this->pool);
      ++gone;
    });
  };
  const auto wait_for_it = [](const mp::Event& event, int x) {
    event.wait();
    return x;
  };
  {
    // Nobody waits for these: their jobs end with the library.
    auto called = this->pool.apply_async(twice, 1);
    called.then([kept = parting()](int) {});
    auto cancelled = this->pool.apply_async(wait_for_it, end, 1);
    cancelled.then([kept = parting()](int) {});
    static_cast<void>(this->pool.map_async(
        twice, {1, 2, 3}, {.progress = [kept = parting()](std::size_t, std::size_t) {}}));
    auto results = this->pool.imap(twice, {1, 2, 3},
                                   {.progress = [kept = parting()](std::size_t, std::size_t) {}});
    static_cast<void>(results.next());
    end.set();
  }
  this->pool.close();
  this->pool.join();
  EXPECT_EQ(gone, 4);
}

TEST(ManagersBarriers, RunTheirActionWithoutALock) {
  mp::Manager manager({.start_method = mp::StartMethod::thread});
  static mp::BarrierProxy* barrier_of_action = nullptr;
  mp::BarrierProxy barrier = manager.barrier(1, [] {
    EXPECT_EQ(barrier_of_action->n_waiting(), 1U);
    EXPECT_FALSE(barrier_of_action->broken());
  });
  barrier_of_action = &barrier;
  EXPECT_EQ(barrier.wait(), 0U);
  EXPECT_EQ(barrier.wait(), 0U);
  mp::BarrierProxy broken = manager.barrier(1, [] { barrier_of_action->abort(); });
  barrier_of_action = &broken;
  EXPECT_THROW(broken.wait(), mp::BrokenBarrier);
  EXPECT_TRUE(broken.broken());
}

}  // namespace
}  // namespace reentrancy_test
