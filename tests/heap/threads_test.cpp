#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "support.hpp"

namespace procession::heap {
namespace {

TEST(Threads, HammerTheHeap) {
  ensure();
  const Audit before = audit();
  const HoldId common = allocate(64, self());
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 6; ++seed) {
    threads.emplace_back([seed, common] {
      std::mt19937 random(seed);
      std::vector<Block> blocks(20);
      for (int i = 0; i < 5'000; ++i) {
        Block& slot = blocks[random() % blocks.size()];
        switch (random() % 4) {
          case 0:
            slot = Block(random() % (random() % 100 == 0 ? 2'000'000 : 3'000));
            std::memset(slot.data(), static_cast<int>(seed),
                        std::min<std::size_t>(slot.size(), 99));
            break;
          case 1:
            slot = Block();
            break;
          case 2:
            if (slot) slot = Block::own(hold(slot.offset(), self()));
            break;
          case 3:
            if (slot) static_cast<void>(hold(target(common), slot.offset()));
            break;
        }
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  drop(common);
  expect_same_use(audit(), before);
}

TEST(Threads, PassMessagesThroughAWord) {
  ensure();
  const Audit before = audit();
  const HoldId queue = allocate(64, self(), true);
  auto* word = at<std::uint64_t>(target(queue));
  constexpr int kMessages = 5'000;
  std::thread producer([&] {
    for (int i = 0; i < kMessages;) {
      Block message(64);
      *at<int>(message.offset()) = i;
      const HoldId hold_id = message.release();
      while (!move_if(hold_id, target(queue), word, 0, hold_id))
        std::this_thread::yield();
      ++i;
    }
  });
  for (int i = 0; i < kMessages;) {
    const HoldId hold_id = std::atomic_ref(*word).load();
    if (hold_id == 0 || !move_if(hold_id, self(), word, hold_id, 0)) {
      std::this_thread::yield();
      continue;
    }
    EXPECT_EQ(*at<int>(target(hold_id)), i++);
    drop(hold_id);
  }
  producer.join();
  drop(queue);
  expect_same_use(audit(), before);
}

}  // namespace
}  // namespace procession::heap
