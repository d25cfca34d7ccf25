// What users write lies apart from what the library reads.

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "heap/layout.hpp"
#include "platform/memory.hpp"
#include "procession/error.hpp"
#include "support.hpp"
#include "support/setting.hpp"

namespace procession::heap {
namespace {

/// Writes bytes from there on, one after the other, until this process dies of it.
[[noreturn]] void overrun(volatile std::byte* from, std::ptrdiff_t step) {
  for (;; from += step)
    *from = std::byte{0xA2};
}

TEST(Regions, AreAsFarApartAsTheyAreTold) {
  with_new_heap("64M", [] {
    const Block library(1000);
    const Block users = Block::for_users(1000);
    EXPECT_GE(users.offset(), library.offset() + 64 * kMebi);
    EXPECT_EQ(users.offset() % 256, 0U);
    EXPECT_EQ(users.size(), 1024U);
    EXPECT_TRUE(contains(users.data()));
    EXPECT_EQ(offset_of(users.data()), users.offset());
    audit();
  });
}

TEST(Regions, AnOverrunOfUsersMemoryEndsWithoutReachingTheLibrarys) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reports it in its own way";
  with_new_heap("64M", [] {
    const Audit before = audit();
    for (const std::ptrdiff_t step : {1, -1}) {
      const Block front = Block::for_users(100);
      const Block users = Block::for_users(5'000);
      const Block behind = Block::for_users(100);
      const Block large = Block::for_users(3 * kMebi);
      EXPECT_EQ(join(fork_child([&] { overrun(users.data(), step); })), -SIGSEGV);
      EXPECT_EQ((step > 0 ? behind : front).data()[0], std::byte{0xA2}) << "it has written";
      EXPECT_EQ(audit().blocks, before.blocks + 4);
      EXPECT_EQ(users.size(), 6'144U);
    }
    expect_same_use(audit(), before);
  });
}

TEST(Regions, AnOverrunTakesNoMemoryThatWasNeverInUse) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reports it in its own way";
  with_new_heap("1G", [] {
    const Block users = Block::for_users(100);
    EXPECT_EQ(join(fork_child([&] { overrun(users.data(), 1); })), -SIGSEGV);
    EXPECT_LT(platform::file_memory(descriptor()), 2 * kMebi);
  });
}

TEST(Regions, AnOverrunOfOtherMemoryDoesNotReachTheHeap) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer reports it in its own way";
  with_new_heap("64M", [] {
    ensure();
    for (const std::ptrdiff_t step : {1, -1}) {
      const Audit before = audit();
      // The kernel places it next to what was mapped last.
      auto* const other = static_cast<std::byte*>(
          ::mmap(nullptr, kMebi, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
      ASSERT_NE(other, MAP_FAILED);
      EXPECT_EQ(join(fork_child([&] { overrun(other + kMebi / 2, step); })), -SIGSEGV);
      expect_same_use(audit(), before);
      ::munmap(other, kMebi);
    }
  });
}

TEST(Regions, BlocksMadeByOthersAreAccessible) {
  with_new_heap("64M", [] {
    ensure();
    const Block board(8 * sizeof(Offset), true);
    const Block early = Block::for_users(100);
    const pid_t child = fork_child([&] {
      auto* const offsets = at<Offset>(board.offset());
      for (int i = 0; i < 8; ++i) {
        Block made = Block::for_users(i % 2 == 0 ? 100'000 : 2 * kMebi);
        std::memset(made.data(), i, made.size());
        offsets[i] = made.offset();
        move(made.release(), board.offset());
      }
    });
    EXPECT_EQ(join(child), 0);
    for (int i = 0; i < 8; ++i) {
      const Offset made = at<Offset>(board.offset())[i];
      EXPECT_EQ(at(made)[capacity(made) - 1], static_cast<std::byte>(i));
    }
  });
}

TEST(Regions, AHoldOnWhatOnlyLooksLikeABlockIsRefused) {
  with_new_heap("64M", [] {
    const Block payload(1024, true);
    for (Offset at_header = payload.offset(); at_header < payload.offset() + 960; at_header += 64) {
      auto& header = *at<BlockHeader>(at_header);
      header.state = state_word(State::used, 1, false);
      header.holds = 1;
      EXPECT_THROW(static_cast<void>(hold(at_header + 64, self())), ProcessError);
      EXPECT_EQ(header.holds, 1U);
    }
    const Block users = Block::for_users(4096, true);
    std::memset(users.data(), 0xA2, users.size());
    for (Offset offset = users.offset() - 4096; offset < users.offset() + 4096; offset += 64) {
      if (offset == users.offset()) continue;
      EXPECT_THROW(static_cast<void>(hold(offset, self())), ProcessError) << offset;
    }
    audit();
  });
}

TEST(Regions, AHoldOnAnyOffsetIsRefusedOrABlocks) {
  with_new_heap("4M", [] {
    const Block one(100);
    const Block other = Block::for_users(100);
    const Audit before = audit();
    const std::uint64_t seed = setting("PROCESSION_TEST_SEED", std::random_device()());
    std::printf("seed %llu (PROCESSION_TEST_SEED)\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    const Offset end = other.offset() + kMebi;
    const auto attempt = [&](Offset offset) {
      try {
        drop(hold(offset, self()));
        return true;
      } catch (const ProcessError&) {
        return false;
      }
    };
    std::size_t held = 0;
    for (Offset offset = 0; offset < end; offset += 64)
      held += attempt(offset) ? 1 : 0;
    EXPECT_EQ(held, before.blocks + 1) << "the blocks in use, and the root";
    for (int i = 0; i < 20'000; ++i)
      attempt(random() >> random() % 64);
    expect_same_use(audit(), before);
  });
}

TEST(Regions, TheAuditSeesAMarkThatIsWrong) {
  with_new_heap("4M", [] {
    const Block block(1024);
    auto& heap = *reinterpret_cast<Header*>(internal::base.load());
    mark_word(heap, block.offset() + 128) ^= mark_bit(block.offset() + 128);
    EXPECT_THROW(audit(), ProcessError);
    mark_word(heap, block.offset() + 128) ^= mark_bit(block.offset() + 128);
    mark_word(heap, block.offset()) ^= mark_bit(block.offset());
    EXPECT_THROW(audit(), ProcessError);
    mark_word(heap, block.offset()) ^= mark_bit(block.offset());
    audit();
  });
}

}  // namespace
}  // namespace procession::heap
