// A fork beside a thread that makes pipes: its child has no end of which it does not know.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "channel/support.hpp"
#include "procession/detail/connection_core.hpp"
#include "support/sanitized.hpp"

namespace channel_test {
namespace {

int open_sockets() {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto file = std::filesystem::read_symlink(entry.path(), error);
    found += !error && file.native().starts_with("socket:") ? 1 : 0;
  }
  return found;
}

TEST(PipeFork, LeavesNoEndInTheChild) {
  if (mp::kSanitized) GTEST_SKIP() << "the sanitizers' allocator is not safe to fork beside others";
  static_cast<void>(mp::detail::make_pipe(true, false));
  const int before = open_sockets();
  std::atomic<bool> done{false};
  std::thread maker([&] {
    while (!done)
      static_cast<void>(mp::detail::make_pipe(true, false));
  });
  for (int i = 0; i < 300; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(open_sockets() == before ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << i;
  }
  done = true;
  maker.join();
}

}  // namespace
}  // namespace channel_test
