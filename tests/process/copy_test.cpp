// Targets of processes that fork and come back twice: the copy ends there, and the original's end
// is the end of the process.

#include <atomic>
#include <cstdlib>

#include "process/record.hpp"
#include "process/support.hpp"
#include "procession/threading.hpp"
#include "support/copies.hpp"

namespace process_test {
namespace {

using copies::copy_process;
using copies::How;
using copies::kCopyExit;

struct Seen {
  std::atomic<int> status;  ///< of the copy
};

class CopyOfATarget : public EachMethod {
 protected:
  Board<Seen> seen_;
};
PROCESSION_BY_ALL_METHODS(CopyOfATarget);

void copied(std::uint64_t place, How how) { board<Seen>(place).status = copy_process(how); }

TEST_P(CopyOfATarget, ATargetsCopyEndsWhereItComesOut) {
  for (const How how : {How::by_fork, How::by_clone}) {
    seen_->status = 0;
    mp::Process process = started(GetParam(), copied, seen_.place(), how);
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
    EXPECT_EQ(seen_->status, kCopyExit);
  }
}

TEST_P(CopyOfATarget, ATargetsCopyThatThrowsEndsToo) {
  mp::Process process = started(
      GetParam(),
      [](std::uint64_t place) {
        const int status = copy_process(How::by_fork);
        if (status == 0) {
          throw std::runtime_error("in the copy");
        }
        board<Seen>(place).status = status;
      },
      seen_.place());
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(seen_->status, kCopyExit);
}

TEST(Copy, OfAThreadEndsWhereTheThreadComesOut) {
  for (const bool throws : {false, true}) {
    Board<Seen> seen;
    mp::Thread thread([&] {
      const int status = copy_process(How::by_fork);
      if (status == 0 && throws) {
        throw std::runtime_error("in the copy");
      }
      if (status != 0) {
        seen->status = status;
      }
    });
    thread.start();
    thread.join();
    EXPECT_EQ(seen->status, kCopyExit);
  }
}

/// The record of the process, from which its exit code may be read, is the original's.
TEST(Copy, ThatExitsLeavesTheRecordAlone) {
  for (const How how : {How::by_fork, How::by_clone}) {
    const Board<Seen> seen;
    mp::Process process(
        [](std::uint64_t place, How by) {
          const int status = copy_process(by);
          if (status == 0) {
            std::exit(9);
          }
          const mp::process::Record& record = mp::process::record_at(mp::heap::self());
          board<Seen>(place).status =
              record.state() == mp::process::Record::State::running ? status : -1;
        },
        seen.place(), how);
    process.start();
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
    EXPECT_EQ(seen->status, 9);
  }
}

}  // namespace
}  // namespace process_test
