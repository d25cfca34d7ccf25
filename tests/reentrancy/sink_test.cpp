// A log sink that calls the library, at every place where records are written.

#include <chrono>
#include <mutex>

#include "support.hpp"

namespace reentrancy_test {
namespace {

using namespace std::chrono_literals;

/// A sink that calls everything, and the pool under test where there is one, for as long as this
/// lives. Each test names what is to have been heard of.
class BusySink : public testing::Test {
 protected:
  BusySink() {
    mp::set_log_sink([this](const mp::LogRecord& record) {
      everything_.call();
      if (const auto use_pool = this->use_pool()) use_pool();
      mp::log_to_stderr(mp::LogLevel::off);
      const std::scoped_lock guard(mutex_);
      heard_.push_back(record.message);
    });
  }
  ~BusySink() override {
    mp::set_log_sink({});
    // One that has begun before may be under way in another thread.
    everything_.call();
  }

  template <class Pool>
  void use_in_sink(Pool& pool) {
    call_in_sink([&pool] { use(pool); });
  }
  void call_in_sink(std::function<void()> use_it) {
    const std::scoped_lock guard(mutex_);
    pool_ = std::move(use_it);
  }
  void forget_pool() {
    const std::scoped_lock guard(mutex_);
    pool_ = nullptr;
  }

  bool heard(const std::string& word) {
    const std::scoped_lock guard(mutex_);
    for (const std::string& message : heard_) {
      if (message.find(word) != std::string::npos) return true;
    }
    return false;
  }

 private:
  std::function<void()> use_pool() {
    const std::scoped_lock guard(mutex_);
    return pool_;
  }

  const Everything everything_;
  std::mutex mutex_;
  std::function<void()> pool_;
  std::vector<std::string> heard_;
};

void wait_for(const mp::Event& event) { event.wait(); }

void end_in_all_ways(mp::StartMethod method) {
  const mp::Event never;
  mp::Process joined({.start_method = method}, nothing);
  joined.start();
  joined.join();
  mp::Process looked_at({.start_method = method}, nothing);
  looked_at.start();
  while (looked_at.is_alive()) {
  }
  mp::Process asked({.start_method = method}, nothing);
  asked.start();
  while (!asked.exitcode()) {
  }
  asked.close();
  if (method == mp::StartMethod::thread) return;
  mp::Process killed({.start_method = method}, wait_for, never);
  killed.start();
  killed.kill();
  EXPECT_TRUE(killed.join());
  mp::Process terminated({.start_method = method}, wait_for, never);
  terminated.start();
  terminated.terminate();
  terminated.join();
  terminated.terminate();
}

TEST_F(BusySink, HearsOfProcesses) {
  for (const mp::StartMethod method : mp::get_all_start_methods())
    end_in_all_ways(method);
  EXPECT_TRUE(heard("started '"));
  EXPECT_TRUE(heard("ended with exit code -9"));
}

template <class Pool>
void run_and_end(Pool& pool) {
  EXPECT_EQ(pool.map(twice, {1, 2, 3}), (std::vector{2, 4, 6}));
  pool.close();
  pool.join();
}

TEST_F(BusySink, HearsOfPools) {
  {
    mp::Pool pool(2);
    use_in_sink(pool);
    run_and_end(pool);
    forget_pool();
  }
  {
    mp::ThreadPool pool(2);
    use_in_sink(pool);
    run_and_end(pool);
    forget_pool();
  }
  {
    mp::Pool pool(2);
    use_in_sink(pool);
    pool.terminate();
    pool.join();
    forget_pool();
  }
  EXPECT_TRUE(heard("started 'PoolWorker-"));
}

// The library's own thread finds that: the sink waits for what that thread has to do.
TEST_F(BusySink, HearsOfLostWorkers) {
  mp::Pool pool(1);
  use_in_sink(pool);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(pool.apply(end_worker, 1), mp::WorkerLost);
    EXPECT_EQ(pool.map(twice, {1, 2}), (std::vector{2, 4}));
  }
  pool.close();
  pool.join();
  EXPECT_TRUE(heard("lost pool worker"));
  forget_pool();
}

int sleep_long(int seconds) {
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  return seconds;
}

TEST_F(BusySink, HearsOfTimeOuts) {
  mp::Pool pool(1);
  use_in_sink(pool);
  EXPECT_THROW(pool.map(sleep_long, {1000}, {.timeout = 5ms}), mp::TimeoutError);
  EXPECT_EQ(pool.map(twice, {1, 2}), (std::vector{2, 4}));
  pool.close();
  pool.join();
  EXPECT_TRUE(heard("lost pool worker"));
  forget_pool();
}

TEST_F(BusySink, HearsOfCancels) {
  mp::ProcessPoolExecutor executor(1);
  mp::Future<int> running = executor.submit(sleep_long, 1000);
  while (!running.running()) {
  }
  EXPECT_TRUE(running.cancel());
  EXPECT_EQ(executor.submit(twice, 4).result(), 8);
  executor.shutdown();
  EXPECT_TRUE(heard("lost pool worker"));
}

TEST_F(BusySink, HearsOfDroppedClients) {
  mp::Listener listener(mp::Address{"127.0.0.1", 0}, {.authkey = mp::make_authkey("right")});
  std::thread client([&] {
    EXPECT_THROW(
        static_cast<void>(mp::Client(listener.address(), {.authkey = mp::make_authkey("wrong")})),
        mp::ProcessError);
    static_cast<void>(mp::Client(listener.address(), {.authkey = mp::make_authkey("right")}));
  });
  call_in_sink([&] { static_cast<void>(listener.last_accepted()); });
  static_cast<void>(listener.accept());
  client.join();
  EXPECT_TRUE(heard("dropped a connection"));
  forget_pool();
}

TEST_F(BusySink, HearsOfCallbacksThatThrow) {
  mp::ThreadPool pool(1);
  use_in_sink(pool);
  auto result = pool.apply_async(twice, 1);
  result.then([](int) { throw std::runtime_error("no"); });
  result.get();
  pool.close();
  pool.join();
  EXPECT_TRUE(heard("a callback of a task threw"));
  forget_pool();
}

TEST(Sink, ThatStartsProcessesIsNotToldOfThose) {
  std::atomic<int> calls{0};
  mp::set_log_sink([&](const mp::LogRecord&) {
    ++calls;
    mp::Process process(nothing);
    process.start();
    process.join();
  });
  mp::Process process(nothing);
  process.start();
  process.join();
  mp::set_log_sink({});
  EXPECT_EQ(calls, 2) << "the start and the end";
}

TEST(Sink, ThatThrowsBreaksNothing) {
  std::atomic<int> calls{0};
  mp::set_log_sink([&](const mp::LogRecord&) {
    ++calls;
    throw std::runtime_error("no");
  });
  mp::Pool pool(2);
  const auto results = pool.map_async(end_of_one, {0, 1, 2});
  EXPECT_THROW(results.get(), mp::WorkerLost);
  EXPECT_EQ(pool.map(twice, {1, 2, 3}), (std::vector{2, 4, 6}));
  pool.close();
  pool.join();
  mp::set_log_sink({});
  EXPECT_GE(calls, 3) << "two starts and a loss; whether a successor began before the end varies";
}

// A fork in a sink: the copy is in none, and its records are told.
TEST(Sink, IsCalledInACopyThatItMade) {
  const mp::Array<int> told(1);
  mp::set_log_sink([&](const mp::LogRecord& record) {
    if (record.pid != mp::current_process().pid) return;
    if (mp::parent_process()) ++told[0];
    if (mp::parent_process() || record.message.find("ended") == std::string::npos) return;
    mp::Process copy({.start_method = mp::StartMethod::fork}, [] {
      mp::Process inner({.start_method = mp::StartMethod::spawn}, nothing);
      inner.start();
      inner.join();
    });
    copy.start();
    copy.join();
  });
  mp::Process process(nothing);
  process.start();
  process.join();
  mp::set_log_sink({});
  EXPECT_GE(told[0], 2);
}

}  // namespace
}  // namespace reentrancy_test
