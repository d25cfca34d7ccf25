// Queues and pipes that hold each other in a circle: nobody has them any more, and they have gone.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "channel/descriptor_broker.hpp"
#include "channel/support.hpp"
#include "heap/support.hpp"
#include "platform/descriptor_queue.hpp"
#include "process/support.hpp"
#include "procession/barrier.hpp"
#include "procession/connection.hpp"
#include "procession/queue.hpp"
#include "procession/value.hpp"

namespace channel_test {

namespace mp = procession;

/// What queues of queues hold. In a struct, as a class cannot name its own type.
struct Loop {
  mp::Queue<Loop> queue;
  std::vector<int> numbers;
};

struct Chain {
  mp::JoinableQueue<Chain> next;
  mp::Value<int> value;
};

namespace {

using mp::Connection;

void in_itself() {
  const Loop loop;
  loop.queue.put(loop);
}

void in_itself_often() {
  const Loop loop;
  for (int i = 0; i < 10; ++i)
    loop.queue.put({loop.queue, std::vector<int>(1'000)});
}

void in_one_that_is_in_it() {
  const Chain first;
  const Chain second;
  first.next.put(second);
  second.next.put(first);
}

void in_a_pipe_that_is_in_it() {
  auto [mine, its] = mp::Pipe();
  const mp::SimpleQueue<Connection> queue;
  queue.put(its);
  mine.send(queue);
}

void in_its_own_pipe() {
  auto [mine, its] = mp::Pipe();
  mine.send(its);
  its.send(mine);
}

void in_a_pipe_in_its_pipe() {
  auto [first, second] = mp::Pipe(false);
  auto [third, fourth] = mp::Pipe(false);
  second.send(third);
  fourth.send(first);
}

class CircleOf : public testing::TestWithParam<std::pair<const char*, void (*)()>> {};

TEST_P(CircleOf, IsGivenBackWithItsDescriptors) {
  GetParam().second();
  mp::heap::reclaim();
  const auto before = mp::heap::audit();
  for (int i = 0; i < 20; ++i)
    GetParam().second();
  mp::heap::reclaim();
  const auto after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
  // As whoever comes by does.
  mp::channel::sweep_broker();
  EXPECT_FALSE(mp::platform::queued_tag(mp::channel::broker_socket(), 0));
}

TEST_P(CircleOf, DoesNotMakeTheHeapGrow) {
  GetParam().second();
  mp::heap::reclaim();
  const std::uint64_t before = mp::heap::audit().blocks;
  std::uint64_t most = 0;
  for (int i = 0; i < 3'000; ++i) {
    GetParam().second();
    if (i % 50 == 0) most = std::max(most, mp::heap::audit().blocks);
  }
  // There are five blocks and more to each round, and some hundred rounds are not looked at yet.
  EXPECT_LT(most, before + 5'000);
  mp::heap::reclaim();
  EXPECT_LE(mp::heap::audit().blocks, before);
}

INSTANTIATE_TEST_SUITE_P(What, CircleOf,
                         testing::Values(std::pair("IsInItself", &in_itself),
                                         std::pair("IsInItselfOften", &in_itself_often),
                                         std::pair("IsInOneThatIsInIt", &in_one_that_is_in_it),
                                         std::pair("IsInAPipeThatIsInIt", &in_a_pipe_that_is_in_it),
                                         std::pair("IsInItsOwnPipe", &in_its_own_pipe),
                                         std::pair("IsInAPipeInItsPipe", &in_a_pipe_in_its_pipe)),
                         [](const auto& test) { return test.param.first; });

/// What is in it has itself for its queue.
void expect_it_works(const mp::Queue<Loop>& queue) {
  const Loop inside = queue.get();
  ASSERT_EQ(inside.numbers.size(), 3U);
  inside.queue.put({inside.queue, {1, 2, 3}});
  EXPECT_EQ(queue.size(), 1U);
}

TEST(Circle, ThatAProcessHasStays) {
  const Loop loop;
  loop.queue.put({loop.queue, {1, 2, 3}});
  mp::heap::reclaim();
  expect_it_works(loop.queue);
  mp::heap::reclaim();
  EXPECT_EQ(process_test::exitcode_of(
                mp::StartMethod::forkserver,
                [](const mp::Queue<Loop>& queue) {
                  expect_it_works(queue);
                  mp::heap::reclaim();
                  expect_it_works(queue);
                  if (testing::Test::HasFailure()) ::_exit(1);
                },
                loop.queue),
            0);
  expect_it_works(loop.queue);
}

TEST(Circle, ThatOnlyAnItemOfALiveQueueHasStays) {
  const mp::Queue<mp::Queue<Loop>> outer;
  {
    const Loop loop;
    loop.queue.put({loop.queue, {1, 2, 3}});
    outer.put(loop.queue);
  }
  mp::heap::reclaim();
  expect_it_works(outer.get());
}

TEST(Circle, OfAKilledProcessIsGivenBack) {
  const auto round = [] {
    EXPECT_EQ(process_test::exitcode_of(mp::StartMethod::forkserver,
                                        [] {
                                          const Loop loop;
                                          loop.queue.put(loop);
                                          ::raise(SIGKILL);
                                        }),
              -SIGKILL);
    mp::heap::reclaim();
  };
  round();
  const auto before = mp::heap::audit();
  round();
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
}

TEST(Circle, OfAPlainForkIsGivenBack) {
  const auto round = [] {
    const Loop loop;
    const pid_t child = ::fork();
    if (child == 0) {
      loop.queue.put(loop);
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
  };
  round();
  mp::heap::reclaim();
  const auto before = mp::heap::audit();
  round();
  mp::heap::reclaim();
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
}

// 512 connections may be on their way.
TEST(Circle, OfPipesDoesNotKeepOthersFromBeingSent) {
  for (int i = 0; i < 700; ++i) {
    auto [mine, its] = mp::Pipe();
    mine.send(its);
  }
  const mp::Queue<Connection> queue;
  auto [mine, its] = mp::Pipe();
  queue.put(its);
  queue.get().send(5);
  EXPECT_EQ(mine.recv<int>(), 5);
}

TEST(Circle, IsGivenBackBeforeMemoryIsSaidToBeOut) {
  mp::heap::with_new_heap("32M", [] {
    for (int i = 0; i < 30; ++i) {
      const Loop loop;
      loop.queue.put({loop.queue, std::vector<int>(std::size_t{1} << 20)});
    }
    const auto all = mp::heap::Block::for_users(std::size_t{24} << 20);
  });
}

}  // namespace
}  // namespace channel_test
