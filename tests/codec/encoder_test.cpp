// Encoder, BufferEncoder and Decoder themselves, and how the bytes lie.
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "codec_support.hpp"

namespace {

using namespace codec_test;

TEST(BufferEncoder, KeepsWhatWasWrittenWhileItGrows) {
  mp::BufferEncoder encoder;
  std::string expected;
  for (int i = 0; i != 2000; ++i) {
    const std::string text = std::to_string(i);
    encoder.write(text.data(), text.size());
    expected += text;
  }
  ASSERT_EQ(encoder.size(), expected.size());
  EXPECT_EQ(std::memcmp(encoder.bytes().data(), expected.data(), expected.size()), 0);
}

TEST(BufferEncoder, TakeLeavesItEmptyAndUsable) {
  mp::BufferEncoder encoder;
  mp::encode(encoder, std::uint8_t{7});
  EXPECT_EQ(encoder.take(), bytes_of({7}));
  EXPECT_EQ(encoder.size(), 0U);
  mp::encode(encoder, std::uint8_t{8});
  EXPECT_EQ(encoder.take(), bytes_of({8}));
}

TEST(BufferEncoder, ExtendGivesRoomToFill) {
  mp::BufferEncoder encoder;
  std::byte* const room = encoder.extend(1000);
  std::memset(room, 0x5a, 1000);
  encoder.write("x", 1);
  ASSERT_EQ(encoder.size(), 1001U);
  EXPECT_EQ(encoder.bytes()[999], std::byte{0x5a});
  EXPECT_EQ(encoder.bytes()[1000], std::byte{'x'});
}

TEST(BufferEncoder, WritesNothingFromNowhere) {
  mp::BufferEncoder encoder;
  encoder.write(nullptr, 0);
  EXPECT_EQ(encoder.size(), 0U);
  EXPECT_TRUE(encoder.take().empty());
}

TEST(BufferEncoder, ThrowsWhereThereIsNoMemory) {
  mp::BufferEncoder encoder;
  encoder.write("abc", 3);
  EXPECT_THROW(encoder.extend(SIZE_MAX - 1), std::bad_alloc);
  EXPECT_EQ(encoder.size(), 3U);
}

TEST(BufferEncoder, NotesTheFirstAddress) {
  mp::BufferEncoder encoder;
  EXPECT_EQ(encoder.noted_address(), nullptr);
  const int first = 0;
  const int second = 0;
  encoder.note_address(&first);
  encoder.note_address(&second);
  EXPECT_EQ(encoder.noted_address(), &first);
  encoder.clear();
  EXPECT_EQ(encoder.noted_address(), nullptr);
}

TEST(Decoder, ReadsAndTakesInOrder) {
  const Bytes bytes = bytes_of({1, 2, 3, 4, 5});
  mp::Decoder decoder(bytes);
  std::uint8_t two[2];
  decoder.read(two, 2);
  EXPECT_EQ(two[1], 2);
  EXPECT_EQ(decoder.take(2).data(), bytes.data() + 2);
  EXPECT_EQ(decoder.remaining(), 1U);
  EXPECT_THROW(decoder.expect_end(), mp::DecodeError);
  EXPECT_THROW(decoder.take(2), mp::DecodeError);
  EXPECT_EQ(decoder.remaining(), 1U);
  decoder.read(two, 1);
  decoder.expect_end();
  decoder.read(nullptr, 0);
}

TEST(Decoder, OfNothingHasNothing) {
  mp::Decoder decoder({});
  EXPECT_EQ(decoder.remaining(), 0U);
  EXPECT_TRUE(decoder.take(0).empty());
  EXPECT_THROW(mp::decode<int>(decoder), mp::DecodeError);
}

TEST(Layout, NumbersLieAsInMemoryAndLengthsTakeEightBytes) {
  EXPECT_EQ(encoded(std::uint32_t{0x01020304}), bytes_of({4, 3, 2, 1}));
  EXPECT_EQ(encoded(true), bytes_of({1}));
  EXPECT_EQ(encoded(std::string("ab")), bytes_of({2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b'}));
}

TEST(Layout, NoPaddingIsSent) {
  struct Padded {
    char letter;
    std::uint32_t number;
  };
  EXPECT_EQ(encoded(Padded{'a', 1}), bytes_of({'a', 1, 0, 0, 0}));
  EXPECT_EQ(encoded(1.0L).size(), sizeof(long double) == 16 ? 10U : sizeof(long double));
}

TEST(Layout, EmptyThingsTakeOneByte) {
  struct Empty {};
  EXPECT_EQ(encoded(Empty{}), bytes_of({0}));
  EXPECT_EQ(encoded(std::tuple<>{}), bytes_of({0}));
  EXPECT_EQ((encoded(std::array<int, 0>{})), bytes_of({0}));
  EXPECT_EQ(encoded(std::vector<Empty>(2)).size(), 10U);
}

TEST(Layout, EightBoolsShareAByte) {
  const std::vector<bool> bits{true, false, false, false, false, false, false, true, true};
  EXPECT_EQ(encoded(bits), bytes_of({9, 0, 0, 0, 0, 0, 0, 0, 0x81, 0x01}));
}

}  // namespace
