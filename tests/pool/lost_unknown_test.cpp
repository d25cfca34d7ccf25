// A worker whose exit status the program takes away is lost in a way that nobody knows.

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <string>

#include "support.hpp"

namespace procession::pooltest {
namespace {

struct Loss {
  int exitcode = 0;
  std::string text = "nothing was lost";
};

Loss loss() {
  Pool pool(1);
  pool.apply([] {});
  try {
    pool.apply([] { ::raise(SIGKILL); });
  } catch (const WorkerLost& lost) {
    return {lost.exitcode(), lost.what()};
  }
  return {};
}

void expect_unknown(const Loss& lost) {
  EXPECT_EQ(lost.exitcode, WorkerLost::kUnknownExit);
  EXPECT_NE(lost.text.find("ignores SIGCHLD or waits for all children itself"), std::string::npos)
      << lost.text;
  EXPECT_EQ(lost.text.find("256"), std::string::npos) << lost.text;
}

TEST(LostUnknown, WhereSigchldIsIgnored) {
  struct sigaction before{};
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &before);
  const Loss lost = loss();
  ::sigaction(SIGCHLD, &before, nullptr);
  expect_unknown(lost);
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
  const Loss lost = loss();
  ::sigaction(SIGCHLD, &before, nullptr);
  // The pool may have been the quicker one, and knows it then.
  if (lost.exitcode != -SIGKILL) expect_unknown(lost);
}

}  // namespace
}  // namespace procession::pooltest
