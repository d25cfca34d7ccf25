// The proof of the key, against known answers and against itself.

#include "channel/authentication.hpp"

#include <cstring>

#include "channel/frame.hpp"
#include "channel/listener_support.hpp"

namespace channel_test {
namespace {

using mp::channel::answer;
using mp::channel::KeyProof;
using mp::channel::proves;
using Bytes = std::vector<std::byte>;

Bytes counting(const std::string& prefix, std::size_t count) {
  Bytes bytes = bytes_of(prefix);
  for (std::size_t i = 0; i < count; ++i)
    bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += "0123456789abcdef"[std::to_integer<int>(byte) >> 4];
    text += "0123456789abcdef"[std::to_integer<int>(byte) & 15];
  }
  return text;
}

const mp::AuthKey kKey = key_of("secret");

TEST(Authentication, AnswersAsCPythonDoes) {
  const Bytes reply = answer(counting("{sha256}", 40), kKey, false);
  ASSERT_EQ(reply.size(), 40U);
  EXPECT_EQ(std::memcmp(reply.data(), "{sha256}", 8), 0);
  EXPECT_EQ(hex_of(std::span(reply).subspan(8)),
            "fc57fbe650d6124b98215e7b5d197d5807ad69982d275a9735ea2d56f1fa6989");
  EXPECT_EQ(hex_of(answer(counting("", 20), kKey, true)), "7defa9cc46abc3583325d17ccda75190");
}

TEST(Authentication, AnswersNothingThatIsNoChallenge) {
  EXPECT_THROW((void)answer(counting("", 20), kKey, false), mp::AuthenticationError);
  EXPECT_THROW((void)answer(counting("{md5}", 40), kKey, false), mp::AuthenticationError);
  EXPECT_NO_THROW((void)answer(counting("{md5}", 40), kKey, true));
  for (const bool md5 : {false, true}) {
    EXPECT_THROW((void)answer({}, kKey, md5), mp::AuthenticationError);
    EXPECT_THROW((void)answer(counting("", 19), kKey, md5), mp::AuthenticationError);
    EXPECT_THROW((void)answer(counting("", 21), kKey, md5), mp::AuthenticationError);
    EXPECT_THROW((void)answer(counting("{sha256}", 19), kKey, md5), mp::AuthenticationError);
    EXPECT_THROW((void)answer(counting("{sha1}", 40), kKey, md5), mp::AuthenticationError);
    EXPECT_THROW((void)answer(counting("{sha256", 40), kKey, md5), mp::AuthenticationError);
  }
}

TEST(Authentication, AProofIsRightInEveryBitOrNone) {
  for (const std::string digest : {"{sha256}", "{sha384}", "{sha3_256}", "{sha3_384}"}) {
    const Bytes challenge = counting(digest, 40);
    Bytes reply = answer(challenge, kKey, false);
    EXPECT_TRUE(proves(reply, challenge, kKey, false));
    EXPECT_FALSE(proves(reply, challenge, key_of("Secret"), false));
    EXPECT_FALSE(proves(reply, counting(digest, 41), kKey, false));
    for (std::size_t bit = 0; bit < 8 * reply.size(); ++bit) {
      reply[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      EXPECT_FALSE(proves(reply, challenge, kKey, true)) << bit;
      reply[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    }
    reply.pop_back();
    EXPECT_FALSE(proves(reply, challenge, kKey, false));
    EXPECT_FALSE(proves(bytes_of(digest), challenge, kKey, false)) << "an empty proof";
  }
  EXPECT_FALSE(proves({}, counting("{sha256}", 40), kKey, true));
}

TEST(Authentication, TheOldProofCountsOnRequestOnly) {
  const Bytes old = answer(counting("", 20), kKey, true);
  EXPECT_TRUE(proves(old, counting("", 20), kKey, true));
  EXPECT_FALSE(proves(old, counting("", 20), kKey, false));
}

/// Carries bytes to and fro, `piece` at a time, until both have ended.
void carry(KeyProof& one, KeyProof& other, std::size_t piece) {
  const auto move = [&](KeyProof& from, KeyProof& to) {
    bool moved = false;
    while (!from.unsent().empty() && to.state() == KeyProof::State::going) {
      const std::span<std::byte> room = to.room();
      const std::size_t size = std::min({piece, from.unsent().size(), room.size()});
      std::memcpy(room.data(), from.unsent().data(), size);
      from.sent(size);
      to.received(size);
      moved = true;
    }
    return moved;
  };
  for (;;) {
    const bool there = move(one, other);
    if (!move(other, one) && !there) return;
  }
}

TEST(KeyProof, BothAreSatisfiedWhenBothHaveTheKey) {
  for (const std::size_t piece : {1U, 3U, 1000U}) {
    KeyProof listener(KeyProof::Side::listener, kKey, false);
    KeyProof client(KeyProof::Side::client, kKey, false);
    carry(listener, client, piece);
    EXPECT_EQ(listener.state(), KeyProof::State::done);
    EXPECT_EQ(client.state(), KeyProof::State::done);
  }
}

TEST(KeyProof, BothFailWhenTheKeysDiffer) {
  KeyProof listener(KeyProof::Side::listener, kKey, false);
  KeyProof client(KeyProof::Side::client, key_of("guess"), false);
  carry(listener, client, 7);
  EXPECT_EQ(listener.state(), KeyProof::State::failed);
  EXPECT_EQ(client.state(), KeyProof::State::failed);
  EXPECT_NE(client.failure().find("refused our key"), std::string::npos);
  EXPECT_NE(listener.failure().find("did not prove"), std::string::npos);
}

TEST(KeyProof, NoTwoChallengesAreTheSame) {
  KeyProof one(KeyProof::Side::listener, kKey, false);
  KeyProof other(KeyProof::Side::listener, kKey, false);
  EXPECT_FALSE(std::ranges::equal(one.unsent(), other.unsent()));
  EXPECT_EQ(one.unsent().size(), 4U + 11 + 8 + 40);
}

TEST(Frame, LengthsAreWrittenAsCPythonWritesThem) {
  using mp::channel::FrameHead;
  EXPECT_EQ(hex_of(FrameHead(0).bytes()), "00000000");
  EXPECT_EQ(hex_of(FrameHead(0x1234).bytes()), "00001234");
  EXPECT_EQ(hex_of(FrameHead(0x7fffffff).bytes()), "7fffffff");
  EXPECT_EQ(hex_of(FrameHead(0x80000000).bytes()), "ffffffff0000000080000000");
  EXPECT_EQ(hex_of(FrameHead(0x123456789a).bytes()), "ffffffff000000123456789a");
}

}  // namespace
}  // namespace channel_test
