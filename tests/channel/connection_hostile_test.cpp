// What is no message: foreign bytes on a connection's descriptor, damaged frames, forged encodings.

#include <sys/socket.h>

#include <cstring>
#include <random>

#include "channel/pipe_ring.hpp"
#include "process/support.hpp"
#include "procession/connection.hpp"
#include "procession/queue.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using mp::Connection;
using process_test::text_of;

/// Writes into the socket by which `end` is told of messages.
void write_foreign_bytes(const Connection& end) {
  ASSERT_EQ(::send(end.fileno(), "GET / HTTP/1.1", 14, MSG_NOSIGNAL), 14);
}

TEST(HostileConnection, ForeignBytesCloseItWithAnExplanation) {
  auto [first, second] = mp::Pipe();
  (void)second.fileno();
  write_foreign_bytes(first);
  const std::string text = text_of<mp::DecodeError>([&] { second.recv<int>(); });
  EXPECT_NE(text.find("closed"), std::string::npos) << text;
  EXPECT_TRUE(second.closed());
  EXPECT_THROW(first.recv<int>(), mp::EndOfFile);
  EXPECT_THROW(first.send(1), mp::BrokenPipe);
}

TEST(HostileConnection, ForeignBytesAreFoundByPollAndWaitToo) {
  {
    auto [first, second] = mp::Pipe();
    write_foreign_bytes(first);
    EXPECT_THROW((void)second.poll(), mp::DecodeError);
    EXPECT_TRUE(second.closed());
  }
  auto [first, second] = mp::Pipe();
  write_foreign_bytes(first);
  EXPECT_THROW((void)mp::wait({second}), mp::DecodeError);
  EXPECT_TRUE(second.closed());
}

/// The pipe's part of the shared heap, found by its magic and the end of the only message in it.
mp::channel::PipeObject& pipe_of(const Connection& end) {
  mp::BufferEncoder encoder;
  class Finder final : public mp::Encoder {
   public:
    Finder() : mp::Encoder(bytes_, bytes_ + sizeof bytes_) {}
    void attach(std::uint64_t block) override { blocks.push_back(block); }
    std::vector<std::uint64_t> blocks;

   private:
    void grow(std::size_t) override { std::abort(); }
    std::byte bytes_[512];
  } finder;
  mp::encode(finder, end);
  for (const std::uint64_t block : finder.blocks) {
    auto* const pipe = mp::heap::at<mp::channel::PipeObject>(block);
    if (std::memcmp(&pipe->header, &mp::channel::kPipeHeader, sizeof pipe->header) == 0) {
      return *pipe;
    }
  }
  throw std::logic_error("no pipe among what an encoded connection names");
}

TEST(HostileConnection, ADamagedFrameIsNeverMoreThanADecodeError) {
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    auto [first, second] = mp::Pipe();
    const bool large = round % 3 == 0;
    first.send(std::string(large ? 20'000 : 40, 'x'));
    mp::channel::PipeRing& ring = pipe_of(second).rings[1];
    const std::size_t bit = random() % (8 * (sizeof(mp::channel::Frame) - 4));
    ring.bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_THROW(second.recv<std::string>(), mp::DecodeError) << "bit " << bit;
    EXPECT_TRUE(second.closed());
  }
}

TEST(HostileConnection, ATruncatedFrameIsADecodeError) {
  for (const std::uint64_t tail : {1U, 64U, 127U}) {
    auto [first, second] = mp::Pipe();
    first.send(std::string(1'000, 'x'));
    pipe_of(second).rings[1].tail = tail;
    EXPECT_THROW(second.recv<std::string>(), mp::DecodeError) << tail;
    EXPECT_TRUE(second.closed());
  }
}

TEST(HostileConnection, WhatNamesNoConnectionDoesNotDecode) {
  auto [first, second] = mp::Pipe();
  const mp::Queue<Connection> queue;
  queue.put(first);
  (void)queue.get();
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::byte> bytes(random() % 48);
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(random() % 4 == 0 ? random() : 1);
    mp::Decoder decoder(bytes);
    EXPECT_THROW((void)mp::decode<Connection>(decoder), mp::DecodeError);
  }
  first.send(1);
  EXPECT_EQ(second.recv<int>(), 1);
}

TEST(HostileConnection, TooManyUnreadConnectionsAreRefusedAndNoneIsLost) {
  auto [first, second] = mp::Pipe();
  const mp::Queue<Connection> carrier;
  std::size_t sent = 0;
  try {
    for (; sent < 100'000; ++sent)
      carrier.put(first);
    ADD_FAILURE() << "never refused";
  } catch (const mp::ProcessError& error) {
    EXPECT_NE(std::string(error.what()).find("on their way"), std::string::npos) << error.what();
  }
  EXPECT_EQ(sent, 512U);
  for (std::size_t i = 0; i < sent; ++i) {
    const auto one = carrier.get();
    one.send(static_cast<int>(i));
    ASSERT_EQ(second.recv<int>(), static_cast<int>(i));
  }
  carrier.put(first);
  carrier.get().send(1);
  EXPECT_EQ(second.recv<int>(), 1);
}

}  // namespace
}  // namespace channel_test
