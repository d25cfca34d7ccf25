// Servers of managers without descriptors: what their clients are told, and that the servers go on.

#include <sys/resource.h>

#include <string>
#include <thread>

#include "manager/support.hpp"

namespace manager_test {
namespace {

/// In the server: whether it may open more descriptors.
class Limits {
 public:
  void lower() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{3, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  void restore() const { ::setrlimit(RLIMIT_NOFILE, &before_); }
  int ask() const { return 7; }

 private:
  rlimit before_{};
};

/// To look at what is thrown, the sanitizer of undefined behaviour makes a pipe, and without
/// descriptors takes that for no exception.
class ManagerScarcity : public testing::Test {
 protected:
  void SetUp() override {
    if (mp::kSanitized) GTEST_SKIP() << "the sanitizer needs descriptors itself";
  }
};

TEST_F(ManagerScarcity, AServerWithoutDescriptorsIsNotOneThatHasEnded) {
  mp::Manager manager({.start_method = StartMethod::forkserver});
  const auto limits = manager.create<Limits>();
  limits.call<&Limits::lower>();
  std::string text;
  std::thread([&] {
    // A thread of its own has a connection of its own, for which the server needs a descriptor.
    text = text_of<mp::ProcessError>([&] { limits.call<&Limits::ask>(); });
  }).join();
  EXPECT_NE(text.find("no descriptors or memory"), std::string::npos) << text;
  EXPECT_EQ(limits.call<&Limits::ask>(), 7) << "who is served goes on";
  limits.call<&Limits::restore>();
  int answer = 0;
  std::thread([&] { answer = limits.call<&Limits::ask>(); }).join();
  EXPECT_EQ(answer, 7);
}

TEST_F(ManagerScarcity, AServerOfOtherProgramsServesWhoWaitedMeanwhile) {
  const mp::AuthKey key = mp::make_authkey("secret");
  mp::ManagerServer server({testing::TempDir() + "scarce_" + std::to_string(::getpid()), 0}, key);
  server.share<mp::ValueProxy<int>>("value");
  std::thread serving([&] { server.serve_forever(); });
  const mp::Event go;
  mp::Process client = started(
      StartMethod::spawn,
      [](const std::string& path, const mp::Event& when) {
        when.wait();
        auto manager = mp::Manager::connect({path, 0}, mp::make_authkey("secret"));
        manager.get<mp::ValueProxy<int>>("value").set_value(7);
      },
      server.address().host, go);
  {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{3, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    go.set();
    EXPECT_FALSE(client.join(std::chrono::milliseconds(500))) << "nobody could let it in";
    ::setrlimit(RLIMIT_NOFILE, &before);
  }
  client.join();
  EXPECT_EQ(client.exitcode(), 0);
  server.shutdown();
  serving.join();
}

}  // namespace
}  // namespace manager_test
