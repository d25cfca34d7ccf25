// Structs whose fields are handles that their own initialisers make, with arguments: what is sent
// names the sender's objects, and none that the receiver would make while it decodes.

#include <mutex>
#include <string>
#include <vector>

#include "process/support.hpp"
#include "procession/procession.hpp"

namespace process_test {
namespace {

namespace mp = procession;

struct OwnMembers {
  mp::Value<int> value{4};
  mp::Array<int> array{1, 2, 3};
  mp::Array<double> copied{std::vector<double>{0.5, 1.5}};
  mp::Array<char> many = mp::Array<char>(10);
  std::string text = "own";
  mp::Queue<std::string> queue{5};
  mp::JoinableQueue<int> joinable{5};
  mp::Semaphore semaphore{0};
  mp::BoundedSemaphore bounded{1};
  mp::Barrier barrier{1};
  mp::Condition condition = mp::Condition();
  mp::Event event = mp::Event();
  mp::Lock lock = mp::Lock();
  mp::RLock rlock = mp::RLock();
};

struct OneValue {
  mp::Value<int> value{4};
};

void change(const OwnMembers& board, const OneValue& one) {
  ++board.value;
  board.array[2] += 10;
  board.copied[1] += 1;
  board.many[9] = 'x';
  board.queue.put(board.text);
  board.joinable.put(7);
  board.semaphore.release();
  board.bounded.acquire();
  board.barrier.abort();
  board.event.set();
  const std::scoped_lock guard(board.lock, board.rlock, board.condition);
  ++one.value;
}

class DefaultFields : public EachMethod {};
PROCESSION_BY_ALL_METHODS(DefaultFields);

TEST_P(DefaultFields, NameWhatTheSenderHas) {
  const OwnMembers board{.text = "sent"};
  const OneValue one;
  EXPECT_EQ(exitcode_of(GetParam(), change, board, one), 0);
  EXPECT_EQ(board.value.value(), 5);
  EXPECT_EQ(std::vector<int>(board.array.begin(), board.array.end()), (std::vector{1, 2, 13}));
  EXPECT_EQ(board.copied[1], 2.5);
  EXPECT_EQ(board.many[9], 'x');
  ASSERT_EQ(board.queue.size(), 1U);
  EXPECT_EQ(board.queue.get(), "sent");
  ASSERT_EQ(board.joinable.size(), 1U);
  EXPECT_EQ(board.joinable.get(), 7);
  EXPECT_EQ(board.semaphore.value(), 1U);
  EXPECT_EQ(board.bounded.value(), 0U);
  EXPECT_TRUE(board.barrier.broken());
  EXPECT_TRUE(board.event.is_set());
  EXPECT_EQ(one.value.value(), 5);
}

}  // namespace
}  // namespace process_test
