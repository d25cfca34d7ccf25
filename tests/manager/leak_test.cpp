// What managers leave behind that have ended: no descriptor, and nothing in the shared heap.

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <thread>

#include "heap/heap.hpp"
#include "manager/support.hpp"
#include "process/proc_files.hpp"

namespace manager_test {

/// An element of a list that has the list.
struct Relative {
  mp::ListProxy<Relative> list;
};

namespace {

using Dict = mp::DictProxy<int, int>;

std::size_t descriptors() { return process_test::open_descriptors().size(); }

/// More than anything that is left for a while could hide.
constexpr int kRounds = 20;

/// What is left by many rounds, once there is what is made once in a process, or in a thread.
class Leaks : public Managed {
 protected:
  template <class F>
  static void expect_none(F round) {
    // What a thread has goes with it, so this is without anything of those rounds.
    std::thread([&] {
      round();
      round();
    }).join();
    static_cast<void>(mp::Manager({.start_method = StartMethod::thread}).list<int>());
    const Left before = Left::look();
    for (int i = 0; i < kRounds; ++i)
      round();
    wait_until([&] { return Left::look().is_within(before); });
  }

 private:
  /// Threads of servers and killed processes give back what they had a moment later.
  struct Left {
    std::size_t descriptors = 0;
    mp::heap::Audit audit;

    static Left look() { return {manager_test::descriptors(), mp::heap::audit()}; }
    [[nodiscard]] bool is_within(const Left& other) const {
      return descriptors <= other.descriptors && audit.blocks <= other.audit.blocks &&
             audit.in_use <= other.audit.in_use && audit.holds <= other.audit.holds;
    }
  };
};
PROCESSION_BY_ALL_METHODS(Leaks);

TEST_P(Leaks, AManagerThatWasUsed) {
  expect_none([&] {
    const mp::Manager manager = make_manager();
    const Dict dict = manager.dict<int, int>();
    dict.set(1, 1);
    EXPECT_EQ(manager.number_of_objects(), 1);
  });
}

TEST_P(Leaks, AShutdownBeforeTheProxysEnd) {
  expect_none([&] {
    mp::Manager manager = make_manager();
    const Dict dict = manager.dict<int, int>();
    dict.set(1, 1);
    manager.shutdown();
  });
}

TEST_P(Leaks, AProxyThatIsCalledAfterTheManagersEnd) {
  expect_none([&] {
    Dict dict;
    {
      mp::Manager manager = make_manager();
      dict = manager.dict<int, int>();
      dict.set(1, 1);
      manager.shutdown();
      EXPECT_THROW(dict.set(1, 1), mp::BrokenPipe);
    }
    EXPECT_THROW(dict.set(1, 1), mp::BrokenPipe);
  });
}

TEST_P(Leaks, AManagerThatIsReplaced) {
  expect_none([&] {
    mp::Manager manager = make_manager();
    manager.dict<int, int>().set(1, 1);
    manager = make_manager();
    manager.dict<int, int>().set(1, 1);
  });
}

TEST_P(Leaks, ThreadsThatEndBeforeTheManager) {
  const mp::Manager manager = make_manager();
  const Dict dict = manager.dict<int, int>();
  expect_none([&] { std::thread([&] { dict.set(1, 1); }).join(); });
}

TEST_P(Leaks, AThreadThatEndsAfterTheManager) {
  expect_none([&] {
    std::atomic<bool> used{false};
    std::atomic<bool> go{false};
    std::thread user;
    {
      const mp::Manager manager = make_manager();
      user = std::thread([&, dict = manager.dict<int, int>()] {
        dict.set(1, 1);
        used = true;
        wait_until([&] { return go.load(); });
        EXPECT_THROW(dict.set(1, 1), mp::BrokenPipe);
      });
      wait_until([&] { return used.load(); });
    }
    go = true;
    user.join();
  });
}

TEST_P(Leaks, AThreadThatLivesOnAndCallsNothing) {
  std::atomic<int> wanted{0};
  std::atomic<int> done{0};
  std::atomic<bool> end{false};
  const Dict* dict = nullptr;
  std::thread user([&] {
    for (;;) {
      wait_until([&] { return end || wanted != done; });
      if (end) return;
      dict->set(1, 1);
      ++done;
    }
  });
  expect_none([&] {
    const mp::Manager manager = make_manager();
    const Dict made = manager.dict<int, int>();
    dict = &made;
    ++wanted;
    wait_until([&] { return done == wanted; });
  });
  end = true;
  user.join();
}

/// The process that has the proxies is not told of the end of the managers.
TEST_P(Leaks, ProxiesInAnotherProcess) {
  struct Counts {
    std::atomic<int> calls;
    std::atomic<std::size_t> descriptors;
  };
  const process_test::Board<Counts> counts;
  mp::Queue<Dict> dicts;
  mp::Process process = started(
      StartMethod::forkserver,
      [](mp::Queue<Dict> given, std::uint64_t place) {
        auto& mine = process_test::board<Counts>(place);
        for (;;) {
          given.get().set(1, 1);
          mine.descriptors = descriptors();
          ++mine.calls;
        }
      },
      dicts, counts.place());
  std::size_t before = 0;
  for (int i = 1; i <= kRounds; ++i) {
    const mp::Manager manager = make_manager();
    dicts.put(manager.dict<int, int>());
    wait_until([&] { return counts->calls == i; });
    if (i == 3) before = counts->descriptors;
  }
  // It looks for what has ended when it is given the next.
  EXPECT_LE(counts->descriptors, before + 3);
  process.kill();
  process.join();
}

class LeaksOfKilled : public Leaks {};
PROCESSION_BY_PROCESS_METHODS(LeaksOfKilled);

TEST_P(LeaksOfKilled, AServer) {
  expect_none([&] {
    const mp::Manager manager = make_manager();
    const Dict dict = manager.dict<int, int>();
    dict.set(1, 1);
    ::kill(manager.pid(), SIGKILL);
  });
}

TEST_P(LeaksOfKilled, AServerWhoseManagerIsKept) {
  static_cast<void>(make_manager().dict<int, int>());  // makes what is made once in a process
  const mp::Manager manager = make_manager();
  const std::size_t before = descriptors();
  const Dict dict = manager.dict<int, int>();
  std::atomic<bool> used{false};
  std::atomic<bool> end{false};
  std::thread other([&] {
    dict.set(1, 1);
    used = true;
    wait_until([&] { return end.load(); });
  });
  wait_until([&] { return used.load(); });
  EXPECT_GE(descriptors(), before + 2);
  ::kill(manager.pid(), SIGKILL);
  // Who finds out gives back the other thread's, too; that the server's process has ended is known
  // a moment after its pipes have.
  wait_until([&] {
    try {
      dict.set(1, 1);
      return false;
    } catch (const mp::ProcessError&) {
      return descriptors() <= before;
    }
  });
  end = true;
  other.join();
}

TEST_P(Leaks, AnObjectThatHasAProxyOfItselfAndLetsGoOfIt) {
  const mp::Manager manager = make_manager();
  {
    const mp::ListProxy<Relative> list = manager.list<Relative>();
    list.append({list});
    const mp::QueueProxy<Relative> queue = manager.queue<Relative>();
    queue.put({list});
    list.append({list});
    queue.get();
    EXPECT_EQ(manager.number_of_objects(), 2);
    list.clear();
  }
  EXPECT_EQ(manager.number_of_objects(), 0);
  // One that does not let go goes with the manager.
  expect_none([&] {
    const mp::Manager own = make_manager();
    {
      const mp::ListProxy<Relative> list = own.list<Relative>();
      list.append({list});
    }
    EXPECT_EQ(own.number_of_objects(), 1);
  });
}

}  // namespace
}  // namespace manager_test
