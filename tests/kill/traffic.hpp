#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "heap/heap.hpp"
#include "procession/procession.hpp"

// What goes on while somebody writes where he should not: messages, handles in messages, chunks of
// maps, results and calls are on their way all the time, most of them in blocks of their own.
namespace scribble_test {

namespace mp = procession;
using namespace std::chrono_literals;

using Words = std::vector<std::uint64_t>;

inline Words words(std::size_t count, std::uint64_t first) {
  Words all(count);
  std::iota(all.begin(), all.end(), first);
  return all;
}

/// What carries handles along.
struct Bundle {
  Words words;
  mp::Lock lock;
  mp::Value<std::uint64_t> value{0};
  std::vector<mp::Queue<int>> queues;
  mp::Array<std::uint64_t> array;

  friend void encode(mp::Encoder& encoder, const Bundle& bundle) {
    mp::encode(encoder, bundle.words);
    mp::encode(encoder, bundle.lock);
    mp::encode(encoder, bundle.value);
    mp::encode(encoder, bundle.queues);
    mp::encode(encoder, bundle.array);
  }
  friend void decode(mp::Decoder& decoder, Bundle& bundle) {
    mp::decode(decoder, bundle.words);
    mp::decode(decoder, bundle.lock);
    mp::decode(decoder, bundle.value);
    mp::decode(decoder, bundle.queues);
    mp::decode(decoder, bundle.array);
  }
};

inline Words add_to_all(const Words& added, const Words& words) {
  Words sums = words;
  for (std::uint64_t& sum : sums)
    sum += added.empty() ? 0 : added[0];
  return sums;
}

inline Bundle make_bundle(std::size_t elements, Words words) {
  Bundle bundle;
  bundle.array = mp::Array<std::uint64_t>(elements);
  bundle.words = std::move(words);
  bundle.queues.resize(3);
  return bundle;
}

/// Calls `step` over and over until told to stop. What it throws is the answer to what was written
/// into its messages.
template <class Step>
void keep_on(const mp::Event& stop, const Step& step) {
  while (!stop.is_set()) {
    try {
      step();
    } catch (const mp::EndOfFile&) {
      return;
    } catch (const mp::BrokenPipe&) {
      return;
    } catch (const std::exception&) {
    }
  }
}

/// Sends back what it gets. Looks whether it is to stop: forks have the other end too, so its end
/// need not be seen.
inline void echo(mp::Connection connection, const mp::Event& stop) {
  keep_on(stop, [&] {
    if (!connection.poll(50ms)) return;
    Words got;
    try {
      got = connection.recv<Words>();
    } catch (const mp::DecodeError&) {
    }
    connection.send(got);
  });
}

inline void produce(const mp::Queue<Bundle>& queue, const mp::Event& stop) {
  keep_on(stop, [&] { queue.put(make_bundle(100, words(300, 1)), 100ms); });
}

inline void guard(const mp::Lock& lock, const mp::Value<std::uint64_t>& total,
                  const mp::Event& stop) {
  keep_on(stop, [&] {
    const std::scoped_lock guard(lock);
    ++total;
  });
}

/// All of it, around one pool.
class Traffic {
 public:
  explicit Traffic(mp::StartMethod method)
      : method_(method), pool_({.processes = 2, .start_method = method}) {
    auto [ours, theirs] = mp::Pipe();
    connection_.emplace(std::move(ours));
    run(echo, std::move(theirs), stop_);
    run(produce, bundles_, stop_);
    run(guard, lock_, total_, stop_);
    threads_.emplace_back([this] { converse(); });
    threads_.emplace_back([this] { map(); });
    threads_.emplace_back([this] { consume(); });
    threads_.emplace_back([this] { manage(); });
    // A process whose call is written to before it has read it ends with an error.
    get_on();
    while (total_.value() == 0)
      std::this_thread::sleep_for(1ms);
  }

  /// Of some array that is in the midst of all that.
  [[nodiscard]] const mp::Array<double>& array() const { return array_; }
  [[nodiscard]] const mp::Value<std::uint64_t>& value() const { return total_; }
  [[nodiscard]] mp::StartMethod method() const { return method_; }
  mp::Pool& pool() { return pool_; }

  /// Waits until all of them have got on.
  void get_on() {
    const std::array before{talks_.load(), maps_.load(), gets_.load(), calls_.load()};
    const std::array<std::atomic<std::uint64_t>*, 4> now{&talks_, &maps_, &gets_, &calls_};
    for (std::size_t i = 0; i < now.size(); ++i) {
      while (*now[i] < before[i] + 2)
        std::this_thread::sleep_for(1ms);
    }
  }

  /// Stops all that goes on; whoever writes where he should not is dead by now. Then each part is
  /// tried once more, and is as if nothing had been.
  void expect_to_work() {
    stop_.set();
    for (std::thread& thread : threads_)
      thread.join();
    threads_.clear();
    for (const auto& process : processes_) {
      process->join();
      EXPECT_EQ(process->exitcode(), 0) << process->name();
    }
    while (!bundles_.empty())
      drop_one();
    Bundle bundle = make_bundle(8, words(1'000, 5));
    bundle.array[7] = 77;
    bundle.value.set_value(4);
    bundles_.put(bundle);
    const Bundle got = bundles_.get();
    EXPECT_EQ(got.array[7], 77U);
    EXPECT_EQ(got.value.value(), 4U);
    EXPECT_EQ(got.words, bundle.words);
    const std::vector<Words> all(7, words(20'000, 1));
    EXPECT_EQ(pool_.map(mp::bind(add_to_all, words(5'000, 10)), all),
              std::vector<Words>(7, words(20'000, 11)));
    {
      mp::Manager fresh({.start_method = method_});
      auto dict = fresh.dict<std::string, Words>();
      dict.set("x", words(10'000, 3));
      EXPECT_EQ(dict.get("x"), words(10'000, 3));
    }
    list_.set("last", words(2'000, 4));
    EXPECT_EQ(list_.get("last"), words(2'000, 4));
    const std::scoped_lock guard(lock_);
    total_.set_value(5);
    EXPECT_EQ(++total_, 6U);
    mp::Array<int> array(100'000);
    EXPECT_EQ(std::accumulate(array.begin(), array.end(), 0), 0);
    mp::heap::audit();
    pool_.close();
    pool_.join();
  }

 private:
  template <class F, class... Args>
  void run(F f, Args... args) {
    processes_.push_back(
        std::make_unique<mp::Process>(mp::ProcessOptions{.start_method = method_}, f, args...));
    processes_.back()->start();
  }

  void converse() {
    for (std::uint64_t i = 0; !stop_.is_set(); ++i) {
      try {
        // Most are large; now and then one goes through a window.
        connection_->send(words(i % 50 == 0 ? 300'000 : 700 + i % 2'000, i));
        static_cast<void>(connection_->recv<Words>());
      } catch (const mp::EndOfFile&) {
        break;  // the other one was told to stop first
      } catch (const mp::BrokenPipe&) {
        break;
      } catch (const mp::DecodeError&) {
      }
      ++talks_;
    }
    connection_.reset();
  }

  void map() {
    for (std::uint64_t i = 0; !stop_.is_set(); ++i) {
      try {
        const std::vector<Words> elements(20, words(500 + i % 1'000, i));
        static_cast<void>(pool_.map(mp::bind(add_to_all, words(200, i)), elements));
        for (const Words& each : pool_.imap(mp::bind(add_to_all, words(1, i)), elements))
          static_cast<void>(each);
        static_cast<void>(
            pool_.apply([](const Bundle& bundle) { return bundle; }, make_bundle(10, words(9, i))));
      } catch (const std::exception&) {
      }
      ++maps_;
    }
  }

  void drop_one() {
    try {
      static_cast<void>(bundles_.get(100ms));
    } catch (const mp::DecodeError&) {
    } catch (const mp::Empty&) {
      return;
    }
    ++gets_;
  }

  void consume() {
    while (!stop_.is_set())
      drop_one();
  }

  void manage() {
    for (std::uint64_t i = 0; !stop_.is_set(); ++i) {
      try {
        list_.set("key", words(600 + i % 1'000, i));
        static_cast<void>(list_.get("key"));
      } catch (const std::exception&) {
      }
      ++calls_;
    }
  }

  const mp::StartMethod method_;
  mp::Event stop_;
  mp::Array<double> array_{8};
  mp::Lock lock_;
  mp::Value<std::uint64_t> total_{0};
  mp::Queue<Bundle> bundles_{20};
  std::optional<mp::Connection> connection_;
  mp::Manager manager_{mp::ManagerOptions{.start_method = method_}};
  mp::DictProxy<std::string, Words> list_{manager_.dict<std::string, Words>()};
  mp::Pool pool_;
  std::vector<std::unique_ptr<mp::Process>> processes_;
  std::vector<std::thread> threads_;
  std::atomic<std::uint64_t> talks_{0};
  std::atomic<std::uint64_t> maps_{0};
  std::atomic<std::uint64_t> gets_{0};
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace scribble_test
