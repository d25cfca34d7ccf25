// Processes that are killed at each step of what they do to a queue, one step after the other.

#include <signal.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "heap/testing.hpp"
#include "process/support.hpp"
#include "procession/queue.hpp"

#ifndef NDEBUG

namespace channel_test {
namespace {

namespace mp = procession;
using Items = std::vector<std::string>;

/// Small ones lie in the ring, large ones and those that name a queue in blocks.
struct Item {
  std::string text;
  std::vector<mp::Queue<int>> queues;
};
using ItemQueue = mp::Queue<Item>;

const std::string& large() {
  static const std::string text(3'000, 'l');
  return text;
}

Item item(const std::string& text) {
  Item made{text, {}};
  if (text == "handle") made.queues.emplace_back();
  return made;
}

std::uint64_t steps_left = 0;

void count_down() {
  if (--steps_left == 0) ::raise(SIGKILL);
}

/// Runs a Script in a process that is killed at its Nth step. False when it ended before.
template <class Script>
bool killed_at(std::uint64_t step, const ItemQueue& queue) {
  mp::Process process(
      [](std::uint64_t steps, const ItemQueue& common) {
        steps_left = steps;
        mp::heap::testing::on_step.store(&count_down);
        Script()(common);
        mp::heap::testing::on_step.store(nullptr);
      },
      step, queue);
  process.start();
  process.join();
  const int code = process.exitcode().value();
  EXPECT_TRUE(code == 0 || code == -SIGKILL) << "exit code " << code << " at step " << step;
  return code == -SIGKILL;
}

/// Kills `script` at each of its steps, each time with a new queue that has `before` in it. `check`
/// gets what is in it then.
template <class Script>
void kill_everywhere(const Items& before, Script /*script*/,
                     const std::function<void(const Items&)>& check) {
  process_test::exitcode_of(mp::StartMethod::forkserver, [] {});
  const mp::heap::Audit audit = mp::heap::audit();
  std::uint64_t step = 1;
  for (bool killed = true; killed && !testing::Test::HasFailure();
       step += process_test::kSanitized ? 7 : 1) {
    SCOPED_TRACE("step " + std::to_string(step));
    {
      const ItemQueue queue;
      for (const std::string& text : before)
        queue.put(item(text));
      killed = killed_at<Script>(step, queue);
      const std::size_t size = queue.size();
      bool shut = false;
      try {
        queue.put(item("after"));
      } catch (const mp::ShutDown&) {
        shut = true;
      }
      // What was put all but for the last store is not there now either.
      EXPECT_EQ(queue.size(), size + (shut ? 0 : 1));
      Items found;
      for (std::size_t i = queue.size(); i > 0; --i)
        found.push_back(queue.get().text);
      EXPECT_TRUE(queue.empty());
      if (!shut) {
        ASSERT_EQ(found.back(), "after");
        found.pop_back();
      }
      EXPECT_EQ(found.size(), size);
      check(found);
    }
    const mp::heap::Audit after = mp::heap::audit();
    EXPECT_EQ(after.blocks, audit.blocks);
    EXPECT_EQ(after.holds, audit.holds);
  }
  std::printf("%llu steps\n", static_cast<unsigned long long>(step));
}

Items first_of(const Items& items, std::size_t count) {
  return {items.begin(),
          items.begin() + static_cast<std::ptrdiff_t>(std::min(count, items.size()))};
}
Items last_of(const Items& items, std::size_t count) {
  return {items.end() - static_cast<std::ptrdiff_t>(std::min(count, items.size())), items.end()};
}

const Items& put_items() {
  static const Items items{"small", large(), "handle", "many", "and more", large(), "last"};
  return items;
}

TEST(QueueKilledAtEachStep, OfPutting) {
  const auto script = [](const ItemQueue& queue) {
    for (std::size_t i = 0; i < 3; ++i)
      queue.put(item(put_items()[i]));
    std::vector<Item> rest;
    for (std::size_t i = 3; i < put_items().size(); ++i)
      rest.push_back(item(put_items()[i]));
    queue.put_many(rest);
    queue.shutdown();
  };
  kill_everywhere({}, script, [](const Items& found) {
    EXPECT_EQ(found, first_of(put_items(), found.size()));
  });
}

TEST(QueueKilledAtEachStep, OfGetting) {
  const auto script = [](const ItemQueue& queue) {
    for (int i = 0; i < 3; ++i)
      static_cast<void>(queue.get());
    static_cast<void>(queue.get_many(3));
    static_cast<void>(queue.get_many(3));
  };
  kill_everywhere(put_items(), script,
                  [](const Items& found) { EXPECT_EQ(found, last_of(put_items(), found.size())); });
}

/// Of these eight fill the first ring.
Items many_items() {
  Items items;
  for (int i = 0; i < 20; ++i)
    items.emplace_back(480, static_cast<char>('a' + i));
  return items;
}

TEST(QueueKilledAtEachStep, OfGrowingAndOfGoingRound) {
  const auto script = [](const ItemQueue& queue) {
    for (int i = 0; i < 3; ++i)
      static_cast<void>(queue.get());
    for (const std::string& text : many_items())
      queue.put(item(text));
  };
  const Items before = first_of(many_items(), 5);
  kill_everywhere(before, script, [&](const Items& found) {
    // What was got is missing in front, what was not put at the end.
    Items all = before;
    for (const std::string& text : many_items())
      all.push_back(text);
    bool in_order = false;
    for (std::size_t got = 0; got <= 3 && got + found.size() <= all.size(); ++got) {
      in_order = in_order || std::equal(found.begin(), found.end(),
                                        all.begin() + static_cast<std::ptrdiff_t>(got));
    }
    EXPECT_TRUE(in_order);
  });
}

}  // namespace
}  // namespace channel_test

#endif
