// A host that vanishes while it owes an answer: nothing that is sent to it is confirmed any more.

#include <linux/filter.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "channel/raw_peer.hpp"
#include "process/support.hpp"

namespace channel_test {
namespace {

using mp::Connection;
using mp::Listener;
using namespace std::chrono_literals;

/// From now on nothing that comes in is taken notice of.
void vanish(int socket) {
  sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &drop_all};
  ASSERT_EQ(::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

TEST(SilentHost, IsNoticedByWhoeverWaits) {
  Listener listener;
  std::vector<std::thread> waiting;
  std::vector<RawPeer> peers;
  std::vector<Connection> connections;
  for (int i = 0; i < 3; ++i) {
    peers.emplace_back(listener.address());
    connections.push_back(listener.accept());
    vanish(peers.back().socket());
  }
  waiting.emplace_back([connection = connections[0]] {
    connection.send(1);
    EXPECT_THROW(static_cast<void>(connection.recv_bytes()), mp::ConnectionLost);
  });
  waiting.emplace_back([connection = connections[1]] {
    connection.send(1);
    EXPECT_TRUE(connection.poll(10min));
    EXPECT_THROW(static_cast<void>(connection.recv_bytes()), mp::ConnectionLost);
  });
  waiting.emplace_back([connection = connections[2]] {
    EXPECT_THROW(connection.send(std::string(100 << 20, 'x')), mp::BrokenPipe);
  });
  for (std::thread& thread : waiting)
    thread.join();
}

/// One that is there, and whose program receives nothing, is waited for.
TEST(SilentHost, IsNotOneWhoseProgramDoesNotReceive) {
  Listener listener;
  const RawPeer peer(listener.address());
  const Connection connection = listener.accept();
  std::atomic<bool> sent{false};
  std::thread sender([&] {
    EXPECT_THROW(connection.send(std::string(100 << 20, 'x')), mp::ProcessError);
    sent = true;
  });
  std::this_thread::sleep_for(30s);
  EXPECT_FALSE(sent);
  connection.close();
  sender.join();
}

}  // namespace
}  // namespace channel_test
