#pragma once

#include <signal.h>

#include "process/support.hpp"
#include "procession/manager.hpp"
#include "procession/procession.hpp"

// What the tests of managers share.
namespace manager_test {

namespace mp = procession;

using process_test::started;
using process_test::StartMethod;
using process_test::text_of;
using process_test::wait_until;

inline void kill_and_join(mp::Process& process) {
  process.kill();
  process.join();
  EXPECT_EQ(process.exitcode(), -SIGKILL);
}

/// A manager by the start method that a test is for, and processes by the same.
class Managed : public process_test::EachMethod {
 protected:
  [[nodiscard]] mp::Manager make_manager() const {
    return mp::Manager({.start_method = GetParam()});
  }
};

}  // namespace manager_test
