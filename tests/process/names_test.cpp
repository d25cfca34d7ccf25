#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "process/support.hpp"

namespace process_test {
namespace {

using Names = EachMethod;
PROCESSION_BY_ALL_METHODS(Names);

struct Who {
  char name[64];
  int pid;
  bool daemon;

  void set(const mp::ProcessInfo& info) {
    info.name.copy(name, sizeof name - 1);
    pid = info.pid;
    daemon = info.daemon;
  }
};

struct Family {
  Who self;
  Who parent;
  Who own_child;  // as the child's own child sees itself
  Who own_parent;
  std::atomic<bool> go;
  std::atomic<bool> up;
};

void nothing() {}

void tell_self(std::uint64_t place) {
  auto& family = board<Family>(place);
  family.own_child.set(mp::current_process());
  family.own_parent.set(mp::parent_process().value());
}

void tell_family(std::uint64_t place, StartMethod method) {
  auto& family = board<Family>(place);
  family.self.set(mp::current_process());
  family.parent.set(mp::parent_process().value());
  mp::Process inner({.start_method = method}, tell_self, place);
  inner.start();
  inner.join();
}

TEST_P(Names, DefaultNamesCountUp) {
  const mp::Process first({.start_method = GetParam()}, nothing);
  const mp::Process second({.start_method = GetParam()}, nothing);
  ASSERT_EQ(first.name().rfind("Process-", 0), 0U);
  const int number = std::stoi(first.name().substr(std::strlen("Process-")));
  EXPECT_EQ(first.name(), "Process-" + std::to_string(number));
  EXPECT_EQ(second.name(), "Process-" + std::to_string(number + 1));
}

TEST_P(Names, ProcessesKnowThemselvesAndTheirParents) {
  const Board<Family> family;
  mp::Process process({.start_method = GetParam()}, tell_family, family.place(), GetParam());
  const std::string name = process.name();
  process.start();
  process.join();
  ASSERT_EQ(process.exitcode(), 0);
  EXPECT_EQ(family->self.name, name);
  EXPECT_EQ(family->self.pid, process.pid());
  EXPECT_FALSE(family->self.daemon);
  EXPECT_STREQ(family->parent.name, "MainProcess");
  EXPECT_EQ(family->parent.pid, ::getpid());
  EXPECT_EQ(family->own_child.name, name + ":1");
  EXPECT_EQ(family->own_parent.name, name);
  EXPECT_EQ(family->own_parent.pid, process.pid());
  EXPECT_EQ(mp::current_process().name, "MainProcess");
  EXPECT_EQ(mp::current_process().pid, ::getpid());
  EXPECT_FALSE(mp::parent_process().has_value());
}

TEST_P(Names, AGivenNameReachesTheChild) {
  const Board<Family> family;
  mp::Process process({.name = "Test", .start_method = GetParam()}, tell_family, family.place(),
                      GetParam());
  EXPECT_EQ(process.name(), "Test");
  process.set_name("Renamed");
  EXPECT_EQ(process.name(), "Renamed");
  process.start();
  const std::string text = text_of<mp::ProcessError>([&] { process.set_name("Too late"); });
  EXPECT_NE(text.find("Renamed"), std::string::npos) << text;
  EXPECT_NE(text.find("before start()"), std::string::npos) << text;
  process.join();
  EXPECT_STREQ(family->self.name, "Renamed");
  EXPECT_STREQ(family->own_parent.name, "Renamed");
  EXPECT_EQ(process.name(), "Renamed") << "also after its end";
}

TEST_P(Names, TheDaemonFlagReachesTheChild) {
  const Board<Family> family;
  mp::Process process({.start_method = GetParam()}, tell_self, family.place());
  EXPECT_FALSE(process.daemon());
  process.set_daemon(true);
  EXPECT_TRUE(process.daemon());
  process.start();
  const std::string text = text_of<mp::ProcessError>([&] { process.set_daemon(false); });
  EXPECT_NE(text.find("before start()"), std::string::npos) << text;
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_TRUE(family->own_child.daemon);
}

void try_to_have_a_child(std::uint64_t place, StartMethod method) {
  auto& family = board<Family>(place);
  mp::Process inner({.name = "inner", .start_method = method}, nothing);
  family.own_child.daemon = inner.daemon();
  text_of<mp::ProcessError>([&] { inner.start(); }).copy(family.own_child.name, 63);
}

TEST_P(Names, ADaemonMayNotHaveChildren) {
  const Board<Family> family;
  mp::Process process({.name = "outer", .daemon = true, .start_method = GetParam()},
                      try_to_have_a_child, family.place(), GetParam());
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_TRUE(family->own_child.daemon) << "the flag is inherited";
  const std::string text = family->own_child.name;
  EXPECT_NE(text.find("daemon 'outer'"), std::string::npos) << text;
  EXPECT_NE(text.find("'inner'"), std::string::npos) << text;
}

void live_until_go(std::uint64_t place) {
  auto& family = board<Family>(place);
  family.up = true;
  wait_until([&] { return family.go.load(); });
}

TEST_P(Names, ActiveChildrenAreThoseThatRun) {
  const Board<Family> family;
  const auto is_listed = [](const mp::Process& process) {
    const auto all = mp::active_children();
    return std::any_of(all.begin(), all.end(), [&](const mp::ProcessInfo& info) {
      return info.name == process.name() && info.pid == process.pid();
    });
  };
  mp::Process process({.name = "listed", .start_method = GetParam()}, live_until_go,
                      family.place());
  EXPECT_FALSE(is_listed(process));
  process.start();
  EXPECT_TRUE(is_listed(process));
  EXPECT_TRUE(process.is_alive());
  family->go = true;
  process.join();
  EXPECT_FALSE(is_listed(process));
  EXPECT_FALSE(process.is_alive());
}

void list_children(std::uint64_t place) {
  board<Family>(place).self.pid = static_cast<int>(mp::active_children().size()) + 1;
}

TEST(ActiveChildren, AreNotInheritedByFork) {
  const Board<Family> family;
  const Board<Family> counted;
  mp::Process sibling({.start_method = StartMethod::fork}, live_until_go, family.place());
  sibling.start();
  EXPECT_EQ(exitcode_of(StartMethod::fork, list_children, counted.place()), 0);
  EXPECT_EQ(counted->self.pid, 1) << "a sibling is no child";
  family->go = true;
}

TEST(CpuCount, IsAtLeastOne) { EXPECT_GE(mp::cpu_count(), 1U); }

}  // namespace
}  // namespace process_test
