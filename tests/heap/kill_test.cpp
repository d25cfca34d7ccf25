// Processes that are killed in the middle of what they do to the heap.

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "heap/root_words.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::heap {
namespace {

/// What a process of the tree does all day: allocate, hold, link, publish, take, drop.
[[noreturn]] void work(unsigned seed, Offset board, Offset common) {
  std::mt19937 random(seed);
  constexpr std::size_t kSlots = 8;
  auto* slots = at<std::uint64_t>(board);
  std::vector<Block> blocks(16);
  for (;;) {
    Block& slot = blocks[random() % blocks.size()];
    std::uint64_t& word = slots[random() % kSlots];
    switch (random() % 6) {
      case 0:
        slot = Block(random() % (random() % 200 == 0 ? 3'000'000 : 5'000), false,
                     random() % 2 == 0 ? Region::library : Region::users);
        break;
      case 1:
        slot = Block();
        break;
      case 2:
        if (slot) slot = Block::own(hold(slot.offset(), self()));
        break;
      case 3:
        if (slot) static_cast<void>(hold(common, slot.offset()));
        break;
      case 4:
        if (slot && move_if(slot.hold_id(), board, &word, 0, slot.hold_id())) {
          static_cast<void>(slot.release());
        }
        break;
      default:
        if (const HoldId hold_id = std::atomic_ref(word).load(); hold_id != 0) {
          if (move_if(hold_id, self(), &word, hold_id, 0)) slot = Block::own(hold_id);
        }
    }
  }
}

TEST(Kill, AnyTimeLeavesTheHeapExact) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  with_new_heap("64M", [seed] {
    ensure();
    const Audit before = audit();
    const HoldId board = allocate(64, root(), true);
    const HoldId common = allocate(64, root());
    std::mt19937 random(seed);
    struct Worker {
      pid_t pid;
      HoldId record;
    };
    std::vector<Worker> workers;
    const auto hire = [&] {
      const HoldId record = allocate(kRecordBytes, root(), true);
      const unsigned own = static_cast<unsigned>(random());
      workers.push_back({fork_child([&] {
                           set_self(target(record));
                           work(own, target(board), target(common));
                         }),
                         record});
    };
    for (int i = 0; i < 4; ++i)
      hire();
    for (int killed = 0; killed < 200; ++killed) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 5'000));
      const std::size_t victim = random() % workers.size();
      ASSERT_EQ(::kill(workers[victim].pid, SIGKILL), 0);
      ASSERT_EQ(join(workers[victim].pid), -SIGKILL);
      drop(workers[victim].record);
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(victim));
      if (killed % 20 == 0) audit();
      hire();
    }
    for (const Worker& worker : workers) {
      ::kill(worker.pid, SIGKILL);
      join(worker.pid);
      drop(worker.record);
    }
    for (int i = 0; i < 8; ++i) {  // a word names a block of the board's, or none
      const HoldId hold_id = at<std::uint64_t>(target(board))[i];
      if (hold_id != 0) {
        EXPECT_EQ(owner(hold_id), target(board));
      }
    }
    drop(board);
    drop(common);
    expect_same_use(audit(), before);
  });
}

#ifndef NDEBUG

/// Sanitizers make a fork slow: every step is done without, some with them.
constexpr std::uint64_t kStride = kSanitized ? 7 : 1;

std::uint64_t steps_left = 0;

void count_down() {
  if (--steps_left == 0) ::raise(SIGKILL);
}

/// Runs `script` in a process that is killed at its Nth step. False when it ended before.
bool killed_at(std::uint64_t step, HoldId record, const std::function<void()>& script) {
  const int code = join(fork_child([&] {
    set_self(target(record));
    steps_left = step;
    testing::on_step.store(&count_down);
    script();
    testing::on_step.store(nullptr);
  }));
  EXPECT_TRUE(code == 0 || code == -SIGKILL) << "exit code " << code << " at step " << step;
  return code != 0;
}

/// Kills `script` at each of its steps; `check` looks at what it left.
std::uint64_t kill_everywhere(const std::function<void()>& script,
                              const std::function<void()>& check) {
  const Audit before = audit();
  for (std::uint64_t step = 1;; step += kStride) {
    const HoldId record = allocate(kRecordBytes, root(), true);
    const bool killed = killed_at(step, record, script);
    audit();  // which repairs first
    check();
    audit();
    drop(record);
    expect_same_use(audit(), before);
    if (!killed || ::testing::Test::HasFailure()) return step;
  }
}

/// Of operations on blocks of either region.
class KillAtEveryStep : public ::testing::TestWithParam<Region> {};

INSTANTIATE_TEST_SUITE_P(Of, KillAtEveryStep, kBothRegions, &region_name);

TEST_P(KillAtEveryStep, OfEveryOperation) {
  with_new_heap("16M", [region = GetParam()] {
    ensure();
    const HoldId board = allocate(64, root(), true);
    auto* word = at<std::uint64_t>(target(board));
    const auto script = [&] {
      Block first(100, false, region);
      Block second(1'000, false, region);
      const HoldId inside = hold(first.offset(), second.offset());
      const HoldId also = hold(target(board), self());
      static_cast<void>(hold(first.offset(), second.offset()));
      drop(inside);
      Block third(5'000, false, region);
      const HoldId hold_id = third.release();
      move(hold_id, target(board), word, hold_id);
      move(also, first.offset());
      if (!move_if(hold_id, self(), word, hold_id, 0)) std::abort();
      drop(hold_id);
      second = Block();
    };
    const auto check = [&] {  // a word and the owner of what it names change together
      if (*word != 0) {
        EXPECT_EQ(owner(*word), target(board));
        drop(std::exchange(*word, 0));
      }
    };
    std::printf("%llu steps\n", static_cast<unsigned long long>(kill_everywhere(script, check)));
  });
}

TEST(Pains, Pain28_WhatAKilledProcessWasSettingUpIsSetUpByTheNext) {
  void* const memory =
      ::mmap(nullptr, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  bool& was_killed = *static_cast<bool*>(memory);  // told by the process that has the heap
  was_killed = true;
  std::uint64_t step = 0;
  while (was_killed && !::testing::Test::HasFailure()) {
    step += kStride;
    with_new_heap("16M", [&] {
      ensure();
      const HoldId record = allocate(kRecordBytes, root(), true);
      const Audit before = audit();
      const auto set_up = []() -> std::uint64_t& {
        return shared_by_tree<std::uint64_t>(&RootWords::descriptor_broker,
                                             [](std::uint64_t& word) { ++word; });
      };
      was_killed = killed_at(step, record, [&] { set_up(); });
      EXPECT_EQ(set_up(), 1U) << "killed at step " << step;
      EXPECT_EQ(set_up(), 1U);
      drop(record);  // as when the dead process is reaped
      EXPECT_EQ(audit().blocks, before.blocks) << "one record less, one word more";
    });
  }
  EXPECT_GT(step, 20U);
  ::munmap(memory, sizeof(bool));
}

TEST_P(KillAtEveryStep, OfLargeBlocks) {
  with_new_heap("6M", [region = GetParam()] {  // 1.5 MiB may lie idle
    ensure();
    const auto script = [region] {
      const Block keeper(64);
      static_cast<void>(allocate(kMebi, keeper.offset(), false, region));
      Block large(2 * kMebi, true, region);
      for (std::size_t i = 0; i < large.size(); i += 1024) {
        if (large.data()[i] != std::byte{0}) std::abort();
      }
      std::memset(large.data(), 0xEE, large.size());
      large = Block();
      large = Block(2 * kMebi, false, region);
    };
    std::printf("%llu steps\n", static_cast<unsigned long long>(kill_everywhere(script, [] {})));
  });
}

TEST_P(KillAtEveryStep, OfARebuild) {
  with_new_heap("256K", [region = GetParam()] {
    ensure();
    const auto script = [region] {
      {
        std::vector<Block> blocks;
        try {
          for (;;)
            blocks.emplace_back(24'000, false, region);
        } catch (const OutOfMemory&) {
        }
        std::sort(blocks.begin(), blocks.end(), [](const Block& one, const Block& other) {
          return one.offset() < other.offset();
        });
        for (std::size_t i = 0; i < blocks.size(); i += 3)
          blocks[i] = Block();
        blocks.erase(blocks.begin(), blocks.begin() + 4);
        const Block joined(60'000, false, region);
      }
      const Block all(200'000, false, region);
    };
    std::printf("%llu steps\n", static_cast<unsigned long long>(kill_everywhere(script, [] {})));
  });
}

TEST_P(KillAtEveryStep, OfTheRepairToo) {
  with_new_heap("16M", [region = GetParam()] {
    ensure();
    const auto script = [region] {
      Block first(100, false, region);
      static_cast<void>(hold(first.offset(), target(allocate(64, self(), false, region))));
    };
    const Audit before = audit();
    bool first_done = false;
    for (std::uint64_t first = 1; !first_done; first += 3 * kStride) {
      bool second_done = false;
      for (std::uint64_t second = 1; !second_done; second += kStride) {
        const HoldId one = allocate(kRecordBytes, root(), true);
        const HoldId two = allocate(kRecordBytes, root(), true);
        first_done = !killed_at(first, one, script);
        second_done = second > 40 || !killed_at(second, two, script);
        audit();
        drop(one);
        drop(two);
        expect_same_use(audit(), before);
        ASSERT_FALSE(::testing::Test::HasFailure()) << first << ' ' << second;
      }
    }
  });
}

#endif

}  // namespace
}  // namespace procession::heap
