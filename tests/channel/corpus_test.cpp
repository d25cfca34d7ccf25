// The corpora of the fuzzers of frames and of the handshake, replayed: as they are, cut short, and
// with each byte changed.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "../fuzz/frame_target.hpp"
#include "../fuzz/handshake_target.hpp"

namespace channel_test {
namespace {

using Attack = std::function<void(std::span<const std::byte>)>;

void replay(const std::string& name, const Attack& attack) {
  const auto folder = std::filesystem::path(PROCESSION_TESTS_DIR) / "fuzz/corpus" / name;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    std::vector<std::byte> input(bytes.begin(), bytes.end());
    for (std::size_t size = 0; size <= input.size(); ++size)
      attack(std::span(input).first(size));
    for (std::byte& byte : input) {
      for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
        byte ^= static_cast<std::byte>(flip);
        attack(input);
        byte ^= static_cast<std::byte>(flip);
      }
    }
    ++files;
  }
  EXPECT_GE(files, 15) << folder;
}

TEST(ChannelCorpus, OfFrames) { replay("frame", frame_fuzz::attack); }
TEST(ChannelCorpus, OfTheHandshake) { replay("handshake", handshake_fuzz::attack); }

}  // namespace
}  // namespace channel_test
