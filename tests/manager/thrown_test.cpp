// What methods of objects throw whose server is a thread: their callers in the same process have it
// as it was thrown, others as the bytes can say it.

#include <memory>
#include <stdexcept>
#include <string>

#include "manager/support.hpp"
#include "procession/exception.hpp"

namespace manager_test {
namespace {

/// Nothing of it can be sent, and nobody has announced it.
struct Peculiar : std::runtime_error {
  explicit Peculiar(std::shared_ptr<int> what)
      : std::runtime_error("peculiar"), keeps(std::move(what)) {}
  std::shared_ptr<int> keeps;
};

class Thrower {
 public:
  int throw_it() { throw Peculiar(std::make_shared<int>(++count_)); }
  int throw_standard() { throw std::out_of_range("standard"); }

 private:
  int count_ = 0;
};

TEST(ManagerOnAThread, ThrowsWhatWasThrown) {
  mp::Manager manager({.start_method = StartMethod::thread});
  const auto thrower = manager.create<Thrower>();
  for (int i = 1; i <= 3; ++i) {
    try {
      thrower.call<&Thrower::throw_it>();
      FAIL();
    } catch (const Peculiar& error) {
      EXPECT_EQ(*error.keeps, i);
      EXPECT_EQ(error.keeps.use_count(), 1) << "nobody else keeps it";
    }
  }
  EXPECT_THROW(thrower.call<&Thrower::throw_standard>(), std::out_of_range);
}

void expect_remote(const mp::Proxy<Thrower>& thrower) {
  for (int i = 0; i < 3; ++i) {
    try {
      thrower.call<&Thrower::throw_it>();
      std::exit(1);
    } catch (const mp::RemoteError& error) {
      if (std::string(error.text()) != "peculiar") std::exit(2);
    }
  }
}

class ManagerOnAThreadCalled : public process_test::EachMethod {};
PROCESSION_BY_PROCESS_METHODS(ManagerOnAThreadCalled);

TEST_P(ManagerOnAThreadCalled, FromAnotherProcessThrowsWhatCouldBeSent) {
  mp::Manager manager({.start_method = StartMethod::thread});
  const auto thrower = manager.create<Thrower>();
  mp::Process caller = started(GetParam(), expect_remote, thrower);
  caller.join();
  EXPECT_EQ(caller.exitcode(), 0);
}

}  // namespace
}  // namespace manager_test
