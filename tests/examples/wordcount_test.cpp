#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "run_program.hpp"

namespace {

namespace fs = std::filesystem;
using examples::Outcome;

/// The checksum of gzip, bit by bit.
std::uint32_t crc32(const std::string& data) {
  std::uint32_t sum = 0xFFFFFFFFU;
  for (const char c : data) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit)
      sum = (sum >> 1) ^ ((sum & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~sum;
}

std::string little_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i)
    text += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return text;
}

/// `data`, at most 65,535 bytes, as a gzip file of one stored block: made without zlib.
std::string gzip(const std::string& data) {
  const auto size = static_cast<std::uint32_t>(data.size());
  return std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01", 11) + little_endian(size, 2) +
         little_endian(~size, 2) + data + little_endian(crc32(data), 4) + little_endian(size, 4);
}

/// A folder of files, and what an independent count finds in them.
class Wordcount : public testing::Test {
 protected:
  void SetUp() override {
#if !__has_include(<zlib.h>)
    GTEST_SKIP() << "wordcount is not built: there is no zlib";
#endif
    root_ = fs::path(testing::TempDir()) /
            ("wordcount_test." + std::to_string(getpid()) + "." +
             testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(root_);
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
  }

  void file(const std::string& name, const std::string& content) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
  }

  /// A file that must be counted, with what it says.
  void text(const std::string& name, const std::string& content, bool compressed = false) {
    file(name, compressed ? gzip(content) : content);
    ++files_;
    bytes_ += content.size();
    std::string blanked;
    for (const char c : content) {
      const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0 || (c & '\x80') != 0;
      blanked += letter ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : ' ';
    }
    std::istringstream words(blanked);
    for (std::string word; words >> word;)
      ++counts_[word];
  }

  [[nodiscard]] Outcome count(std::vector<std::string> options = {}) const {
    options.insert(options.begin(), root_.string());
    return examples::run("wordcount", options);
  }

  /// The lines of the table as they must be.
  [[nodiscard]] std::vector<std::string> table(std::size_t most) const {
    std::vector<std::pair<std::string, int>> all(counts_.begin(), counts_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < std::min(most, all.size()); ++i) {
      const std::string times = std::to_string(all[i].second);
      lines.push_back(std::string(12 - times.size(), ' ') + times + "  " + all[i].first);
    }
    return lines;
  }

  [[nodiscard]] std::string headline(int binary = 0) const {
    return root_.string() + ": " + std::to_string(files_) + " text files, " +
           std::to_string(bytes_) + " bytes, " + std::to_string(counts_.size()) +
           " different words; " + std::to_string(binary) + " binary files skipped";
  }

  /// Checks the report up to the errors and gives the lines from there on.
  [[nodiscard]] std::vector<std::string> check(const Outcome& outcome, std::size_t top,
                                               int binary) const {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    std::vector<std::string> lines = outcome.lines();
    std::vector<std::string> expected = table(top);
    expected.insert(expected.begin(), headline(binary));
    if (lines.size() < expected.size()) {
      ADD_FAILURE() << outcome.out;
      return std::vector<std::string>(10);
    }
    const auto end = lines.begin() + static_cast<std::ptrdiff_t>(expected.size());
    EXPECT_EQ(std::vector<std::string>(lines.begin(), end), expected);
    return {end, lines.end()};
  }

  fs::path root_;
  std::map<std::string, int> counts_;
  std::uint64_t bytes_ = 0;
  int files_ = 0;
};

TEST_F(Wordcount, CountsTextAndCompressedFiles) {
  text("a.txt", "The cat and the dog.\nThe END");
  text("sub/b.txt", "the Dog, the d0g; na\xc3\xafve Na\xc3\xafve");
  text("sub/deep/c.gz", "zipped cat, zipped dog\n", true);
  text("empty", "");
  const auto rest = check(count({"--processes", "2"}), 20, 0);
  EXPECT_EQ(rest.at(0), "0 errors");
  EXPECT_TRUE(std::regex_match(rest.at(1), std::regex("2 processes: [0-9.]+ s"))) << rest.at(1);
  EXPECT_TRUE(std::regex_match(rest.at(2), std::regex("serial: [0-9.]+ s"))) << rest.at(2);
  EXPECT_TRUE(std::regex_match(rest.at(3), std::regex("speed-up: [0-9.]+"))) << rest.at(3);
  EXPECT_EQ(rest.at(4), "same table: yes");
}

TEST_F(Wordcount, ManyFilesAreSharedOut) {
  for (int i = 0; i < 300; ++i) {
    std::string words;
    for (int j = 0; j <= i; ++j)
      words += "w" + std::string(1, static_cast<char>('a' + j % 26)) + " ";
    text("f" + std::to_string(i), words, i % 3 == 0);
  }
  const auto outcome = count({"--processes", "3", "--top", "7"});
  EXPECT_EQ(check(outcome, 7, 0).at(4), "same table: yes");
  EXPECT_NE(outcome.err.find("counting: 100 % (16 of 16)"), std::string::npos) << outcome.err;
}

TEST_F(Wordcount, BrokenFilesAreNamedAndTheRestIsCounted) {
  const std::string words = "some words that are lost with the file they are in";
  text("good.txt", "good words");
  text("good.gz", "good words", true);
  file("cut.gz", gzip(words).substr(0, 40));
  std::string damaged = gzip(words);
  damaged[20] = '#';
  file("damaged.gz", damaged);
  file("no_gzip.gz", "plain text under a wrong name");
  file("picture.png", std::string("\x89PNG\0\0 words in it", 18));
  fs::create_symlink(root_ / "nowhere", root_ / "dangling");
  fs::create_symlink("good.txt", root_ / "link");
  const auto rest = check(count(), 20, 1);
  EXPECT_EQ(rest.at(0), "4 errors");
  std::map<std::string, std::string> errors;
  for (std::size_t i = 1; i <= 4; ++i) {
    const std::string& line = rest.at(i);
    const std::size_t colon = line.find(": ");
    ASSERT_NE(colon, std::string::npos) << line;
    errors[fs::path(line.substr(2, colon - 2)).filename()] = line.substr(colon + 2);
  }
  EXPECT_EQ(errors.count("damaged.gz"), 1U);
  EXPECT_EQ(errors["cut.gz"], "unexpected end of file");
  EXPECT_EQ(errors["no_gzip.gz"], "not in gzip format");
  EXPECT_EQ(errors["dangling"], "symbolic link to nowhere");
  EXPECT_EQ(rest.back(), "same table: yes");
}

TEST_F(Wordcount, AFileWithoutPermissionIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  text("open", "words");
  file("secret", "words");
  fs::permissions(root_ / "secret", fs::perms::none);
  const auto rest = check(count(), 20, 0);
  EXPECT_EQ(rest.at(0), "1 errors");
  EXPECT_EQ(rest.at(1), "  " + (root_ / "secret").string() + ": Permission denied");
}

TEST_F(Wordcount, AnEmptyFolderHasNoWords) {
  EXPECT_EQ(check(count(), 20, 0).back(), "same table: yes");
}

TEST_F(Wordcount, OneWayAlone) {
  text("a", "b c c");
  const auto serial = check(count({"--serial-only"}), 20, 0);
  EXPECT_EQ(serial.size(), 2U);
  EXPECT_TRUE(serial.back().starts_with("serial: "));
  const auto parallel = check(count({"--parallel-only", "--processes", "1"}), 20, 0);
  EXPECT_EQ(parallel.size(), 2U);
  EXPECT_TRUE(parallel.back().starts_with("1 processes: "));
}

TEST_F(Wordcount, RunawayWordsAreNoWords) {
  text("a", "short");
  file("b", std::string(100'000, 'x') + " short");
  ++files_;
  bytes_ += 100'006;
  ++counts_["short"];
  EXPECT_EQ(check(count(), 20, 0).back(), "same table: yes");
}

TEST_F(Wordcount, RefusesWhatItDoesNotUnderstand) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--top"},
                                                {"--top", "many"},
                                                {"--processes", "-1"},
                                                {"--fast"},
                                                {"another folder"},
                                                {"--serial-only", "--parallel-only"}}) {
    const Outcome outcome = count(words);
    EXPECT_EQ(outcome.exit_code, 2) << words.front();
    EXPECT_NE(outcome.err.find("usage: wordcount"), std::string::npos) << words.front();
  }
  const Outcome outcome = examples::run("wordcount", {(root_ / "missing").string()});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("is no folder"), std::string::npos) << outcome.err;
}

}  // namespace
