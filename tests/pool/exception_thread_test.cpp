// What a task on a thread throws arrives as it was thrown, of whatever type.

#include <atomic>
#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "procession/error.hpp"
#include "procession/exception.hpp"
#include "procession/executor.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

/// Nothing of it can be sent, and nobody has announced it.
struct Particular : std::runtime_error {
  Particular(int number_of_it, std::shared_ptr<int> what_it_keeps)
      : std::runtime_error("particular"), number(number_of_it), keeps(std::move(what_it_keeps)) {}
  int number;
  std::shared_ptr<int> keeps;
};

const void* thrown_at = nullptr;  ///< in a task of one thread
std::shared_ptr<int> kept_by_all;
std::atomic<int> initialized{0};  ///< workers

int throw_particular(int number) {
  if (number % 2 == 1) {
    try {
      throw Particular(number, kept_by_all);
    } catch (const Particular& error) {
      thrown_at = &error;
      throw;
    }
  }
  return number;
}

template <class Act>
int number_of(Act act) {
  try {
    act();
  } catch (const Particular& error) {
    EXPECT_EQ(typeid(error), typeid(Particular));
    EXPECT_EQ(error.keeps, kept_by_all);
    return error.number;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  return 0;
}

class PoolExceptionThread : public testing::Test {
 protected:
  PoolExceptionThread() { kept_by_all = std::make_shared<int>(7); }
  ~PoolExceptionThread() override {
    // Nothing that was thrown is left.
    EXPECT_EQ(kept_by_all.use_count(), 1);
    kept_by_all = nullptr;
  }
};

TEST_F(PoolExceptionThread, IsTheSameObject) {
  ThreadPool pool(1);
  try {
    pool.apply(throw_particular, 3);
    FAIL();
  } catch (const Particular& error) {
    EXPECT_EQ(&error, thrown_at);
    EXPECT_EQ(error.number, 3);
  }
  EXPECT_THROW(pool.apply([] { throw 42; }), int);
  EXPECT_EQ(pool.apply(throw_particular, 4), 4);
}

TEST_F(PoolExceptionThread, OfAMapItIsTheFirst) {
  for (const std::size_t chunksize : {0, 1, 3, 100}) {
    ThreadPool pool(2);
    const std::vector<int> numbers{0, 2, 4, 5, 6, 7, 8, 9};
    EXPECT_EQ(number_of([&] { pool.map(throw_particular, numbers, {.chunksize = chunksize}); }), 5);
  }
}

TEST_F(PoolExceptionThread, OfAStreamEachInItsPlace) {
  for (const std::size_t chunksize : {1, 4}) {
    ThreadPool pool(2);
    auto results =
        pool.imap(throw_particular, std::vector{0, 1, 2, 3, 4, 5}, {.chunksize = chunksize});
    for (int i = 0; i < 6; ++i) {
      if (i % 2 == 0) {
        EXPECT_EQ(results.next(), i);
      } else {
        EXPECT_EQ(number_of([&] { static_cast<void>(results.next()); }), i);
      }
    }
  }
}

TEST_F(PoolExceptionThread, OfAStreamThatNobodyReadsToItsEnd) {
  ThreadPool pool(2);
  auto results = pool.imap(throw_particular, std::vector{0, 1, 3, 5, 7});
  EXPECT_EQ(results.next(), 0);
}

TEST_F(PoolExceptionThread, OfFuturesAndCallbacks) {
  {
    ThreadPoolExecutor executor(1);
    const Future<int> future = executor.submit(throw_particular, 9);
    EXPECT_EQ(number_of([&] { static_cast<void>(future.result()); }), 9);
    EXPECT_EQ(number_of([&] { std::rethrow_exception(future.exception()); }), 9);
  }
  ThreadPool pool(1);
  std::promise<std::exception_ptr> told;
  pool.apply_async(throw_particular, 11)
      .then([](int) {}, [&](const std::exception_ptr& error) { told.set_value(error); });
  EXPECT_EQ(number_of([&] { std::rethrow_exception(told.get_future().get()); }), 11);
  told = {};
}

TEST_F(PoolExceptionThread, NestedInOneThatCouldBeSent) {
  ThreadPool pool(1);
  const auto throw_nested = [] {
    try {
      throw_particular(13);
    } catch (...) {
      std::throw_with_nested(std::logic_error("outer"));
    }
  };
  try {
    pool.apply(throw_nested);
    FAIL();
  } catch (const std::logic_error& outer) {
    EXPECT_STREQ(outer.what(), "outer");
    EXPECT_EQ(number_of([&] { std::rethrow_if_nested(outer); }), 13);
  }
}

TEST_F(PoolExceptionThread, ThreadsOfAPoolOfThatMethodToo) {
  Pool pool({.processes = 1, .start_method = StartMethod::thread});
  EXPECT_EQ(number_of([&] { pool.apply(throw_particular, 15); }), 15);
}

TEST_F(PoolExceptionThread, ManyThatAreNeverAskedFor) {
  ThreadPool pool(2);
  std::vector<AsyncResult<int>> results;
  for (int i = 0; i < 3000; ++i) {
    results.push_back(pool.apply_async(throw_particular, 1));
  }
  results.clear();
  pool.terminate();
}

TEST_F(PoolExceptionThread, OfAnInitializerToo) {
  ThreadPool pool({.processes = 2, .initializer = [] { throw_particular(5); }});
  EXPECT_EQ(number_of([&] { pool.apply([] {}); }), 5);
  EXPECT_EQ(number_of([&] { pool.map([](int x) { return x; }, {1, 2}); }), 5);
}

/// The library's own threads look after each pool for a moment, longer the more there are: none of
/// them has one for longer than its user has.
TEST_F(PoolExceptionThread, OfAnInitializerBesideManyPools) {
  std::vector<ThreadPool> others;
  for (int i = 0; i < 200; ++i) {
    others.emplace_back(1);
  }
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    {
      ThreadPool pool({.processes = 2, .initializer = [] { throw_particular(5); }});
      EXPECT_EQ(number_of([&] { pool.apply([] {}); }), 5);
    }
    EXPECT_EQ(kept_by_all.use_count(), 1) << "round " << i;
  }
}

TEST_F(PoolExceptionThread, OfAPoolWhoseResultsAreKept) {
  initialized = 0;
  const auto throw_from_the_second_on = [] {
    if (initialized++ != 0) {
      throw_particular(5);
    }
  };
  std::vector<AsyncResult<int>> kept;
  {
    ThreadPool pool(
        {.processes = 1, .initializer = throw_from_the_second_on, .max_tasks_per_child = 1});
    kept.push_back(pool.apply_async(throw_particular, 2));
    EXPECT_EQ(kept[0].get(), 2);
    EXPECT_EQ(number_of([&] { pool.apply(throw_particular, 2); }), 5);
  }
  EXPECT_EQ(kept_by_all.use_count(), 1);
  EXPECT_EQ(kept[0].get(), 2);
}

TEST_F(PoolExceptionThread, OfAnExecutorsInitializerToo) {
  ThreadPoolExecutor executor({.processes = 1, .initializer = [] { throw_particular(5); }});
  EXPECT_EQ(number_of([&] { executor.submit([] {}).result(); }), 5);
}

}  // namespace
}  // namespace procession::pooltest
