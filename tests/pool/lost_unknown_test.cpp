// A worker whose exit status the program takes away is lost in a way that nobody knows.

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <string>

#include "support.hpp"

namespace procession::pooltest {
namespace {

std::string text_of_loss() {
  Pool pool(1);
  pool.apply([] {});
  try {
    pool.apply([] { ::raise(SIGKILL); });
  } catch (const WorkerLost& lost) {
    EXPECT_EQ(lost.exitcode(), 255);
    return lost.what();
  }
  return "nothing was lost";
}

TEST(LostUnknown, WhereSigchldIsIgnored) {
  struct sigaction before{};
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &before);
  const std::string text = text_of_loss();
  ::sigaction(SIGCHLD, &before, nullptr);
  EXPECT_NE(text.find("ignores SIGCHLD or waits for all children itself"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("255"), std::string::npos) << text;
}

TEST(LostUnknown, WhereTheProgramReapsAllChildren) {
  struct sigaction before{};
  struct sigaction reaper{};
  reaper.sa_flags = SA_RESTART;
  reaper.sa_handler = [](int) {
    const int saved = errno;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    errno = saved;
  };
  ::sigaction(SIGCHLD, &reaper, &before);
  const std::string text = text_of_loss();
  ::sigaction(SIGCHLD, &before, nullptr);
  EXPECT_EQ(text.find("255"), std::string::npos) << text;
}

}  // namespace
}  // namespace procession::pooltest
