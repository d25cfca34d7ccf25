// Listeners without descriptors: what they say, and that they go on once there are some.

#include <string>

#include "channel/listener_support.hpp"
#include "procession/event.hpp"
#include "support/no_descriptors.hpp"
#include "support/sanitized.hpp"

namespace channel_test {
namespace {

using mp::Connection;
using mp::Listener;
using process_test::started;
using process_test::StartMethod;

TEST(ListenerScarcity, WithoutDescriptorsWaitGoesOnAndAcceptTellsWhy) {
  if (mp::kSanitized) GTEST_SKIP() << "the sanitizer needs descriptors itself";
  Listener listener({fresh_path(), 0});
  auto [mine, its] = mp::Pipe();
  const mp::Event go;
  mp::Process client = started(
      StartMethod::spawn,
      [](const std::string& path, const mp::Event& when, const mp::Connection& told) {
        when.wait();
        const Connection connection = mp::Client({path, 0});
        told.send(1);
        connection.send(42);
        connection.recv<int>();
      },
      listener.address().host, go, its);
  {
    const NoDescriptors none;
    go.set();
    EXPECT_EQ(mine.recv<int>(), 1) << "the system has taken the connection by then";
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(mp::wait({listener}), std::vector<std::size_t>{0});
      const std::string text =
          process_test::text_of<mp::ProcessError>([&] { (void)listener.accept(); });
      EXPECT_NE(text.find("accept a connection"), std::string::npos) << text;
      EXPECT_NE(text.find("RLIMIT_NOFILE is 3"), std::string::npos) << text;
    }
  }
  const Connection connection = listener.accept();
  EXPECT_EQ(connection.recv<int>(), 42);
  connection.send(1);
  client.join();
  EXPECT_EQ(client.exitcode(), 0);
}

}  // namespace
}  // namespace channel_test
