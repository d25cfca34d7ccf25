#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "process/proc_files.hpp"
#include "process/record.hpp"
#include "process/support.hpp"

// What is left in the shared heap, and elsewhere, when all children have ended.
namespace process_test {
namespace {

using Audit = EachMethod;
PROCESSION_BY_ALL_METHODS(Audit);

/// Blocks that the child holds when it ends, whatever way.
void hold(std::size_t bytes, const std::string& end) {
  static std::vector<mp::heap::Block> kept;
  kept.emplace_back(bytes);
  kept.emplace_back(bytes);
  if (end == "kill") {
    ::raise(SIGKILL);
  } else if (end == "exit") {
    std::_Exit(3);
  } else if (end == "throw") {
    kept.clear();
    throw 1;
  }
  if (mp::current_process().pid == mp::parent_process()->pid) {
    kept.clear();  // a thread's are the process's own
  }
}

void run_all(StartMethod method) {
  const bool thread = method == StartMethod::thread;
  const std::string argument(100'000, 'x');
  EXPECT_EQ(exitcode_of(method, [](const std::string&) {}, argument), 0);
  EXPECT_EQ(exitcode_of(method, hold, std::size_t{1} << 20, "return"), 0);
  if (!thread) {
    EXPECT_EQ(exitcode_of(method, hold, std::size_t{1} << 20, "kill"), -SIGKILL);
    EXPECT_EQ(exitcode_of(method, hold, std::size_t{1} << 20, "exit"), 3);
  }
  {
    mp::Process closed = started(method, [] {});
    closed.join();
    closed.close();
  }
  const mp::Process unstarted({.start_method = method}, [](const std::string&) {}, argument);
  mp::Process grandparent = started(
      method,
      [](StartMethod inner) {
        mp::Process child({.start_method = inner}, [] {});
        child.start();
      },
      method);
}

TEST_P(Audit, NothingIsLeftBehind) {
  run_all(GetParam());  // what is made once is made now
  const mp::heap::Audit before = mp::heap::audit();
  const auto descriptors = open_descriptors();
  for (int i = 0; i < 2; ++i) {
    run_all(GetParam());
  }
  const mp::heap::Audit after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_EQ(after.holds, before.holds);
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(count_zombies(), 0);
  EXPECT_TRUE(mp::active_children().empty());
}

// Without the help of a failure, which looks for all who ended.
TEST_P(Audit, EachChildIsReapedWhenItHasBeenJoined) {
  EXPECT_EQ(exitcode_of(GetParam(), [] {}), 0);
  const mp::heap::Audit before = mp::heap::audit();
  for (int i = 0; i < 3; ++i) {
    mp::Process process = started(GetParam(), [] {});
    process.join();
    process.close();
    const mp::heap::Audit after = mp::heap::audit();
    EXPECT_EQ(after.blocks, before.blocks);
    EXPECT_EQ(after.holds, before.holds);
  }
}

TEST(AuditOfTheTree, ARefusedStartLeavesNothing) {
  EXPECT_EQ(exitcode_of(StartMethod::spawn, [] {}), 0);
  const mp::heap::Audit before = mp::heap::audit();
  {
    int on_the_stack = 0;
    mp::Process process({.start_method = StartMethod::spawn}, [&on_the_stack] { ++on_the_stack; });
    EXPECT_THROW(process.start(), std::invalid_argument);
  }
  const mp::heap::Audit after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.holds, before.holds);
}

struct Orphans {
  std::atomic<int> inner;
  std::atomic<int> server;
};

void outlive_the_parent(std::uint64_t place, std::size_t bytes) {
  static mp::heap::Block kept(bytes);
  board<Orphans>(place).inner = ::getpid();
  wait_until([] { return ::getppid() != mp::parent_process()->pid; });
  ::raise(SIGKILL);
}

void be_killed_with_a_child(std::uint64_t place) {
  auto& orphans = board<Orphans>(place);
  exitcode_of(StartMethod::forkserver, [] {});
  orphans.server = fork_server_pid();
  mp::Process inner =
      started(StartMethod::forkserver, outlive_the_parent, place, std::size_t{1} << 20);
  wait_until([&] { return orphans.inner != 0; });
  ::raise(SIGKILL);
}

// A child whose parent was killed is nobody's to reap, and so is that parent's fork server; the
// next failure in the tree does it.
TEST(AuditOfTheTree, OrphansGiveBackWhatTheyHeld) {
  const auto leave_orphans = [] {
    const Board<Orphans> orphans;
    EXPECT_EQ(exitcode_of(StartMethod::forkserver, be_killed_with_a_child, orphans.place()),
              -SIGKILL);
    EXPECT_NE(orphans->server, 0);
    wait_until([&] { return gone(orphans->inner) && gone(orphans->server); });
    EXPECT_EQ(exitcode_of(StartMethod::forkserver, [] { std::_Exit(1); }), 1);
  };
  leave_orphans();
  const mp::heap::Audit before = mp::heap::audit();
  leave_orphans();
  const mp::heap::Audit after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_EQ(after.holds, before.holds);
}

// A process that is killed while it starts a tied child, which then never comes. The next start in
// the tree looks for it, without any failure.
TEST(AuditOfTheTree, ChildrenThatNeverCameAreReaped) {
  const auto leave_a_request = [] {
    EXPECT_EQ(
        exitcode_of(StartMethod::forkserver,
                    [] {
                      const auto record = mp::process::make_record(true);
                      mp::heap::Block kept(100'000);
                      static_cast<void>(mp::heap::hold(kept.offset(), mp::heap::target(record)));
                      ::raise(SIGKILL);
                    }),
        -SIGKILL);
  };
  leave_a_request();
  const mp::heap::Audit before = mp::heap::audit();
  for (int i = 0; i < 5; ++i) {
    leave_a_request();
  }
  const mp::heap::Audit after = mp::heap::audit();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.in_use, before.in_use);
}

// It finds neither its request nor its record there any more.
TEST(AuditOfTheTree, AChildThatComesAfterItWasReapedTakesNothing) {
  const auto first = mp::process::make_record(true);
  const mp::heap::Offset place = mp::heap::target(first);
  const mp::process::Record::Claim claim{place, mp::process::record_at(place).serial};
  EXPECT_TRUE(mp::process::Record::stands(claim));
  mp::process::reap_record(first, claim.serial);
  const auto second = mp::process::make_record(true);
  ASSERT_EQ(mp::heap::target(second), place) << "the place was not used again";
  EXPECT_FALSE(mp::process::Record::stands(claim));
  EXPECT_FALSE(mp::process::Record::take(claim, 12345));
  EXPECT_EQ(mp::process::record_at(place).state(), mp::process::Record::State::requested);
  mp::process::reap_record(second, mp::process::record_at(place).serial);
}

// A child is tied to the very process that asked for it, and not to one that has its place now.
TEST(AuditOfTheTree, AChildWhoseMakersPlaceIsAnothersIsReaped) {
  const auto other = mp::process::make_record(true);  // makes what is made once
  const mp::heap::Audit before = mp::heap::audit();
  const auto hold_id = mp::process::make_record(true);
  mp::process::reap_orphans();
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks + 1) << "its maker lives";
  ++mp::process::record_at(mp::heap::target(hold_id)).maker_serial;
  mp::process::reap_orphans();
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
  mp::process::reap_record(other, mp::process::record_at(mp::heap::target(other)).serial);
}

// The records of killed processes stay for a while, and their process ids are used again.
TEST(AuditOfTheTree, TheProcessIdOfADeadProcessIsNotOneOfTheTree) {
  const auto hold_id = mp::process::make_record(false);
  const mp::heap::Offset place = mp::heap::target(hold_id);
  const mp::process::Record::Claim claim{place, mp::process::record_at(place).serial};
  constexpr int kPid = 54321;
  ASSERT_TRUE(mp::process::Record::take(claim, kPid));
  EXPECT_FALSE(mp::process::is_of_tree(kPid)) << "nobody has marked the record as alive";
  mp::process::reap_record(hold_id, claim.serial);
  mp::Process living = started(StartMethod::forkserver, sleep_for_ever);
  wait_until([&] { return mp::process::is_of_tree(living.pid()); });
  living.kill();
  living.join();
}

// Serials are counted, for the same process id may be had by two that make records.
TEST(AuditOfTheTree, NoTwoRecordsHaveTheSameSerial) {
  const auto first = mp::process::make_record(false);
  const auto second = mp::process::make_record(false);
  const std::uint32_t serial = mp::process::record_at(mp::heap::target(first)).serial;
  EXPECT_EQ(mp::process::record_at(mp::heap::target(second)).serial, serial + 1);
  mp::process::reap_record(first, serial);
  mp::process::reap_record(second, serial + 1);
}

// Two processes may find the same one dead, and the later reaping come when its hold id is
// another's.
TEST(AuditOfTheTree, ASecondReapingDoesNotTouchWhatHasTheHoldIdNow) {
  const auto hold_id = mp::process::make_record(false);
  const mp::heap::Offset place = mp::heap::target(hold_id);
  const std::uint32_t serial = mp::process::record_at(place).serial;
  const std::uint64_t life = mp::process::record_at(place).life();
  mp::process::reap_record(hold_id, serial);
  ASSERT_EQ(mp::process::make_record(false), hold_id) << "the hold_id was not used again";
  const mp::heap::Audit before = mp::heap::audit();
  mp::process::reap_record(hold_id, serial);
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks);
  EXPECT_FALSE(mp::process::record_at(place).cancel_seen(life));
  EXPECT_EQ(mp::process::record_at(place).state(), mp::process::Record::State::requested);
  mp::process::reap_record(hold_id, mp::process::record_at(place).serial);
  EXPECT_EQ(mp::heap::audit().blocks, before.blocks - 1);
}

}  // namespace
}  // namespace process_test
