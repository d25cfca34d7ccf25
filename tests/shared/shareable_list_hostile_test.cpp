// A list in memory that others write to as they like: each look at it gives items or an error.

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <random>
#include <thread>

#include "procession/error.hpp"
#include "procession/shareable_list.hpp"
#include "shared/support.hpp"
#include "support/setting.hpp"

namespace shared_test {
namespace {

using mp::ShareableList;
using Item = ShareableList::Item;

ShareableList make_list() { return ShareableList({1, 2.5, "some text", true, nullptr, "more"}); }

/// All that one can do with a list.
void use(const ShareableList& list) {
  const auto attempt = [](const auto& look) {
    try {
      look();
    } catch (const mp::DecodeError&) {
    } catch (const std::out_of_range&) {
    } catch (const std::invalid_argument&) {
    }
  };
  attempt([&] { static_cast<void>(list.size()); });
  for (const std::ptrdiff_t index : {0, 1, 2, 5, -1, -6, 1'000}) {
    attempt([&] { static_cast<void>(list.get(index)); });
    attempt([&] { list.set(index, "text"); });
    attempt([&] { list.set(index, 5); });
  }
  attempt([&] { static_cast<void>(list.items()); });
  attempt([&] { static_cast<void>(list.format()); });
  attempt([&] { static_cast<void>(list.count(2.5)); });
}

std::uint64_t announced_seed() {
  const std::uint64_t seed = setting("PROCESSION_TORTURE_SEED", std::random_device()());
  std::printf("seed %" PRIu64 " (PROCESSION_TORTURE_SEED)\n", seed);
  return seed;
}

TEST(ShareableListHostile, AnyBytesAreItemsOrAnError) {
  std::mt19937_64 random(announced_seed());
  const ShareableList list = make_list();
  const std::span<std::byte> bytes = list.shm().buf();
  const std::vector<std::byte> whole(bytes.begin(), bytes.end());
  for (int i = 0; i < 3'000; ++i) {
    std::ranges::copy(whole, bytes.begin());
    for (std::uint64_t changes = random() % 4 == 0 ? bytes.size() : 1 + random() % 4; changes != 0;
         --changes) {
      // Mostly in the words in front, and there mostly a little.
      const std::size_t place = random() % (random() % 3 == 0 ? bytes.size() : 64);
      bytes[place] = static_cast<std::byte>(random() >> random() % 8);
    }
    use(list);
  }
}

TEST(ShareableListHostile, BytesThatChangeMeanwhileAreItemsOrAnError) {
  const ShareableList list = make_list();
  std::atomic<bool> over = false;
  std::thread writer([&, random = std::mt19937_64(announced_seed())]() mutable {
    const std::span<std::byte> bytes = list.shm().buf();
    while (!over) {
      const std::uint64_t word = random() % 3 == 0 ? random() : random() % 200;
      auto* const words = reinterpret_cast<std::uint64_t*>(bytes.data());
      std::atomic_ref(words[random() % 8]).store(word, std::memory_order_relaxed);
    }
  });
  for (int i = 0; i < 3'000; ++i)
    use(list);
  over = true;
  writer.join();
}

}  // namespace
}  // namespace shared_test
