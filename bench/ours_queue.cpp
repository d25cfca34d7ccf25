// Queues: other processes of this program put, and get.

#include <algorithm>
#include <vector>

#include "ours.hpp"

namespace mp = procession;

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kPairs = 4;

using Numbers = mp::Queue<std::uint64_t>;
using Messages = mp::Queue<std::vector<std::byte>>;
/// How many to put, or to get.
using Orders = mp::Queue<std::size_t>;

void produce(const Numbers& items, const Orders& orders) {
  for (const std::size_t times : orders) {
    for (std::uint64_t i = 0; i < times; ++i)
      items.put(i);
  }
}

void produce_many(const Numbers& items, const Orders& orders) {
  std::vector<std::uint64_t> batch(kBatch);
  for (const std::size_t times : orders) {
    for (std::uint64_t i = 0; i < times;) {
      batch.resize(std::min<std::size_t>(kBatch, times - i));
      for (std::uint64_t& item : batch)
        item = i++;
      items.put_many(batch);
    }
  }
}

void produce_large(const Messages& items, const Orders& orders, std::size_t bytes) {
  const std::vector<std::byte> message(bytes, std::byte{1});
  for (const std::size_t times : orders) {
    for (std::size_t i = 0; i < times; ++i)
      items.put(message);
  }
}

void consume(const Numbers& items, const Orders& orders, const Numbers& sums) {
  for (const std::size_t times : orders) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < times; ++i)
      sum += items.get();
    sums.put(sum);
  }
}

void answer(const Numbers& questions, const Numbers& answers) {
  for (const std::uint64_t question : questions)
    answers.put(question);
}

void there_and_back(std::size_t times) {
  static const Numbers questions;
  static const Numbers answers;
  static const mp::Process other = helper(answer, questions, answers);
  for (std::uint64_t i = 0; i < times; ++i) {
    questions.put(i);
    check(answers.get() == i);
  }
}

void one_to_one(std::size_t times) {
  static const Numbers items;
  static const Orders orders;
  static const mp::Process producer = helper(produce, items, orders);
  orders.put(times);
  for (std::uint64_t i = 0; i < times; ++i)
    check(items.get() == i);
}

void one_to_one_by_many(std::size_t times) {
  static const Numbers items;
  static const Orders orders;
  static const mp::Process producer = helper(produce_many, items, orders);
  orders.put(times);
  for (std::uint64_t i = 0; i < times;) {
    for (const std::uint64_t item : items.get_many(kBatch))
      check(item == i++);
  }
}

void four_to_four(std::size_t times) {
  static const Numbers items;
  static const Numbers sums;
  static const Orders puts;
  static const Orders gets;
  static const std::vector<mp::Process> crew = [] {
    std::vector<mp::Process> all;
    for (std::size_t i = 0; i < kPairs; ++i) {
      all.push_back(helper(produce, items, puts));
      all.push_back(helper(consume, items, gets, sums));
    }
    return all;
  }();
  const std::uint64_t each = (times + kPairs - 1) / kPairs;
  for (std::size_t i = 0; i < kPairs; ++i) {
    gets.put(each);
    puts.put(each);
  }
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kPairs; ++i)
    sum += sums.get();
  check(sum == kPairs * (each * (each - 1) / 2));
}

contestant::Operation large(std::size_t bytes) {
  return [bytes](std::size_t times) {
    // The producer is no more than one message ahead: what more there is falls out of the caches.
    static const Messages items(1);
    static const Orders orders;
    static const mp::Process producer = helper(produce_large, items, orders, bytes);
    orders.put(times);
    for (std::size_t i = 0; i < times; ++i)
      check(items.get().size() == bytes);
  };
}

}  // namespace

Operations queue_operations() {
  return {{"queue", one_to_one},
          {"queue-many", one_to_one_by_many},
          {"queue-back", there_and_back},
          {"queue-crowd", four_to_four},
          {"queue-1M", large(std::size_t{1} << 20)},
          {"queue-16M", large(std::size_t{16} << 20)}};
}
