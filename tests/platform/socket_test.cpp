#include "platform/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace procession::platform {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Socket, KeepsTheBoundariesOfMessages) {
  const auto [left, right] = message_pair();
  EXPECT_EQ(send_message(left.get(), bytes_of("one"), {}), Delivery::done);
  EXPECT_EQ(send_message(left.get(), bytes_of("three"), {}), Delivery::done);
  std::array<std::byte, 64> room{};
  EXPECT_EQ(receive_message(right.get(), room).size, 3U);
  EXPECT_EQ(receive_message(right.get(), room).size, 5U);
  EXPECT_EQ(std::memcmp(room.data(), "three", 5), 0);
}

TEST(Socket, PassesDescriptorsInOrderAndClosedOnExec) {
  const auto [left, right] = message_pair();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const std::array<int, 2> sent{writing.get(), reading.get()};
  EXPECT_EQ(send_message(left.get(), bytes_of("x"), sent), Delivery::done);
  writing.reset();
  std::array<std::byte, 8> room{};
  const Received received = receive_message(right.get(), room);
  ASSERT_EQ(received.descriptors.size(), 2U);
  for (const Descriptor& descriptor : received.descriptors) {
    EXPECT_NE(::fcntl(descriptor.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
  ASSERT_EQ(::write(received.descriptors[0].get(), "!", 1), 1);
  char letter = 0;
  ASSERT_EQ(::read(received.descriptors[1].get(), &letter, 1), 1);
  EXPECT_EQ(letter, '!');
}

TEST(Socket, TellsThatThePeerHasGone) {
  auto [left, right] = message_pair();
  std::array<std::byte, 8> room{};
  std::thread peer([&] { EXPECT_EQ(receive_message(right.get(), room).size, 0U); });
  left.reset();
  peer.join();
  EXPECT_EQ(send_message(right.get(), bytes_of("x"), {}), Delivery::peer_gone);
}

TEST(Socket, APeerThatLeftAMessageUnreadHasGoneToo) {
  auto [left, right] = message_pair();
  EXPECT_EQ(send_message(left.get(), bytes_of("unread"), {}), Delivery::done);
  right.reset();
  std::array<std::byte, 8> room{};
  EXPECT_EQ(receive_message(left.get(), room).size, 0U);
}

TEST(Socket, IsClosedOnExec) {
  const auto [left, right] = message_pair();
  EXPECT_NE(::fcntl(left.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(right.get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace procession::platform
