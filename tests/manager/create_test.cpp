// Classes of the program's own in a manager: calls, exceptions, life time.

#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "manager/support.hpp"

namespace manager_test {
namespace {

class Counter {
 public:
  explicit Counter(int total = 0) : total_(total) {
    if (total < 0) throw std::invalid_argument("less than nothing");
  }
  int add(int n) { return total_ += n; }
  [[nodiscard]] int total() const { return total_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  void set_name(std::string_view name) { name_ = name; }
  [[nodiscard]] int at(std::size_t i) const { return std::vector<int>{1, 2}.at(i); }
  void fail() const { throw mp::KeyError("no such thing"); }

 private:
  int total_;
  std::string name_ = "none";
};

int twice(const Counter& counter) { return 2 * counter.total(); }

class Created : public Managed {};
PROCESSION_BY_ALL_METHODS(Created);

TEST_P(Created, MethodsAreCalled) {
  const mp::Manager manager = make_manager();
  const auto counter = manager.create<Counter>(10);
  EXPECT_EQ(counter.call<&Counter::add>(3), 13);
  EXPECT_EQ(counter.call<&Counter::add>(short{4}), 17);
  EXPECT_EQ(counter.call<&Counter::total>(), 17);
  EXPECT_EQ(counter.call<&twice>(), 34);
  counter.call<&Counter::set_name>("bob");
  EXPECT_EQ(counter.call<&Counter::name>(), "bob");
  EXPECT_EQ(manager.create<Counter>().call<&Counter::total>(), 0);
}

TEST_P(Created, ExceptionsArriveWithTheirType) {
  const mp::Manager manager = make_manager();
  const auto counter = manager.create<Counter>(10);
  EXPECT_EQ(text_of<mp::KeyError>([&] { counter.call<&Counter::fail>(); }), "no such thing");
  EXPECT_THROW(counter.call<&Counter::at>(7), std::out_of_range);
  EXPECT_THROW(static_cast<void>(manager.create<Counter>(-1)), std::invalid_argument);
  try {
    counter.call<&Counter::fail>();
  } catch (const std::exception& error) {
    ASSERT_NE(mp::remote_trace(error), nullptr);
    EXPECT_EQ(mp::remote_trace(error)->type(), "procession::KeyError");
    EXPECT_EQ(mp::remote_trace(error)->pid(),
              GetParam() == StartMethod::thread ? 0 : manager.pid());
  }
  EXPECT_EQ(counter.call<&Counter::add>(1), 11);
}

TEST_P(Created, EveryProcessCallsTheSameObject) {
  const mp::Manager manager = make_manager();
  const auto counter = manager.create<Counter>(0);
  std::vector<mp::Process> processes;
  for (int i = 0; i < 3; ++i) {
    processes.push_back(started(
        GetParam(),
        [](const mp::Proxy<Counter>& shared) {
          for (int n = 0; n < 100; ++n)
            shared.call<&Counter::add>(1);
        },
        counter));
  }
  for (mp::Process& process : processes) {
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
  }
  EXPECT_EQ(counter.call<&Counter::total>(), 300);
}

TEST_P(Created, AnObjectLivesUntilItsLastProxyIsGone) {
  const mp::Manager manager = make_manager();
  EXPECT_EQ(manager.number_of_objects(), 0);
  {
    const auto counter = manager.create<Counter>(1);
    const mp::Proxy<Counter> copy = counter;
    EXPECT_EQ(copy, counter);
    EXPECT_EQ(manager.number_of_objects(), 1);
    EXPECT_NE(manager.create<Counter>(1), counter);
  }
  EXPECT_EQ(manager.number_of_objects(), 0);
  mp::Queue<mp::Proxy<Counter>> queue;
  queue.put(manager.create<Counter>(5));
  EXPECT_EQ(manager.number_of_objects(), 1);
  EXPECT_EQ(queue.get().call<&Counter::total>(), 5);
  EXPECT_EQ(manager.number_of_objects(), 0);
}

TEST_P(Created, ThereAreNeverManyMoreThanAreInUse) {
  const mp::Manager manager = make_manager();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(manager.create<Counter>(i).call<&Counter::total>(), i);
  }
  EXPECT_EQ(manager.number_of_objects(), 0);
}

}  // namespace
}  // namespace manager_test
