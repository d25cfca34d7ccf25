// Methods of managers' objects that fork and come back twice: the copy answers nobody.

#include "manager/support.hpp"
#include "support/copies.hpp"

namespace manager_test {
namespace {

class Forker {
 public:
  int fork() { return copies::copy_process(copies::How::by_fork); }
  int clone() { return copies::copy_process(copies::How::by_clone); }
  int fork_and_throw() {
    const int status = copies::copy_process(copies::How::by_fork);
    return status == 0 ? throw std::out_of_range("in the copy") : status;
  }
};

class CopyOfAMethod : public Managed {};
PROCESSION_BY_ALL_METHODS(CopyOfAMethod);

TEST_P(CopyOfAMethod, AMethodsCopyEnds) {
  const mp::Manager manager = make_manager();
  const auto forker = manager.create<Forker>();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(forker.call<&Forker::fork>(), copies::kCopyExit);
    EXPECT_EQ(forker.call<&Forker::clone>(), copies::kCopyExit);
    EXPECT_EQ(forker.call<&Forker::fork_and_throw>(), copies::kCopyExit);
  }
}

}  // namespace
}  // namespace manager_test
