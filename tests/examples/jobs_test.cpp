// The real jobs: each gives the answer of its serial twin, says what the pool was worth and draws a
// progress bar.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "run_program.hpp"
#include "support/sanitized.hpp"

namespace {

namespace fs = std::filesystem;
using examples::Outcome;
using Lines = std::vector<std::string>;

std::smatch match(const std::string& line, const char* pattern) {
  static std::string kept;  // what a match refers to
  kept = line;
  std::smatch found;
  EXPECT_TRUE(std::regex_match(kept, found, std::regex(pattern)))
      << "\"" << line << "\" is not like \"" << pattern << "\"";
  return found;
}

/// Checks the four lines at the end, and that the last state of the bar was drawn.
void expect_twins(const Outcome& outcome, const std::string& label) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  const Lines lines = outcome.lines();
  ASSERT_GE(lines.size(), 5U) << outcome.out << outcome.err;
  const std::size_t end = lines.size();
  match(lines[end - 4], "\\d+ processes: \\d+\\.\\d\\d s");
  match(lines[end - 3], "serial: \\d+\\.\\d\\d s");
  match(lines[end - 2], "speed-up: \\d+\\.\\d\\d");
  EXPECT_EQ(lines[end - 1], "same answer: yes");
  EXPECT_NE(outcome.err.find(label + ": 100 %"), std::string::npos) << outcome.err;
}

TEST(Jobs, MonteCarloKnowsHowWellItKnowsPi) {
  const Outcome outcome = examples::run("montecarlo", {"1100000"});
  expect_twins(outcome, "points");
  const std::smatch found =
      match(outcome.lines().at(0), "1100000 points: pi is ([0-9.]+) \\+- ([0-9.]+) \\(95 %\\)");
  ASSERT_EQ(found.size(), 3U);
  const double error = std::stod(found[2]);
  EXPECT_NEAR(error, 1.96 * 4 * std::sqrt(0.7854 * 0.2146 / 1.1e6), 1e-5);
  EXPECT_LT(std::abs(std::stod(found[1]) - 3.14159265), 2 * error);  // of fixed seeds
  EXPECT_EQ(examples::run("montecarlo", {"many"}).exit_code, 2);
}

TEST(Jobs, KmeansFindsTheClustersThatItsPointsWereMadeFrom) {
  const Outcome outcome = examples::run("kmeans", {"20000"});
  expect_twins(outcome, "training");
  const std::smatch found =
      match(outcome.lines().at(0),
            "20000 points of 8 dimensions, 16 clusters, 20 iterations: mean squared distance "
            "([0-9.]+)");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NEAR(std::stod(found[1]), 8, 0.2);  // one for each dimension
  EXPECT_EQ(examples::run("kmeans", {"0"}).exit_code, 2);
}

// pains.md 1 and 9 in one program: crashes, leaks and hangs, each on its own.
TEST(Jobs, CrashyLosesTheBadTasksAlone) {
  if (procession::kSanitized) GTEST_SKIP() << "a sanitizer's own memory is more than the limit";
  const Outcome outcome = examples::run("crashy", {"200"});
  expect_twins(outcome, "tasks");
  const Lines lines = outcome.lines();
  ASSERT_EQ(lines.size(), 8U) << outcome.out;
  EXPECT_EQ(lines[0], "200 tasks: 194 good, 2 crashed, 2 over their memory, 2 over their time");
  EXPECT_NE(lines[1].find("signal 11"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find("memory"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find("time-out"), std::string::npos) << lines[3];
  EXPECT_EQ(examples::run("crashy", {"-1"}).exit_code, 2);
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

/// White, 300 by 200.
std::string png() {
  return from_hex(
      "89504e470d0a1a0a0000000d494844520000012c000000c801000000007aa4e1f8000000314944415478daed"
      "ca310100000c0220fb97d6023b16006ed297689aa6699aa6699aa6699aa6699aa6699aa6699aa669da65804d"
      "9404147f31f90000000049454e44ae426082");
}

/// Grey, 200 by 100.
std::string jpeg() {
  return from_hex(
             "ffd8ffe000104a46494600010100000100010000ffdb004300100b0c0e0c0a100e0d0e12111013182"
             "81a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71"
             "797064785c656763ffc0000b08006400c801011100ffc40015000101000000000000000000000000000"
             "00005ffc40014100100000000000000000000000000000000ffda0008010100003f0098") +
         std::string(81, '\0') + from_hex("ffd9");
}

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned number_at(const std::string& bytes, std::size_t at, std::size_t size) {
  unsigned number = 0;
  for (const char byte : bytes.substr(at, size))
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

TEST(Jobs, ThumbnailsLeaveOutWhatIsBroken) {
#if !__has_include(<png.h>) || !__has_include(<jpeglib.h>)
  GTEST_SKIP() << "thumbnails is not built: there is no libpng, or no libjpeg";
#endif
  const fs::path root =
      fs::path(testing::TempDir()) / ("thumbnails_test." + std::to_string(getpid()));
  const fs::path pictures = root / "pictures", out = root / "out";
  write(pictures / "a.png", png());
  write(pictures / "below" / "a.png", png().substr(0, 90));  // cut off
  write(pictures / "below" / "b.JPG", jpeg());
  write(pictures / "c.jpeg", "this is no picture");
  write(pictures / "notes.txt", "nor is this");

  const Outcome outcome = examples::run("thumbnails", {pictures.string(), out.string()});
  expect_twins(outcome, "pictures");
  const Lines lines = outcome.lines();
  ASSERT_EQ(lines.size(), 7U) << outcome.out;
  EXPECT_TRUE(lines[0].starts_with("broken: " + (pictures / "below" / "a.png").string() + ": "))
      << lines[0];
  EXPECT_TRUE(lines[1].starts_with("broken: " + (pictures / "c.jpeg").string() + ": Not a JPEG"))
      << lines[1];
  EXPECT_EQ(lines[2], "2 pictures made small, 2 broken");

  const std::string small_png = read(out / "0-a.png");
  ASSERT_GT(small_png.size(), 24U);
  EXPECT_EQ(number_at(small_png, 16, 4), 128U);
  EXPECT_EQ(number_at(small_png, 20, 4), 85U);
  const std::string small_jpeg = read(out / "2-b.JPG");
  const std::size_t frame = small_jpeg.find("\xff\xc0");  // height and width are 5 bytes behind it
  ASSERT_NE(frame, std::string::npos);
  EXPECT_EQ(number_at(small_jpeg, frame + 5, 2), 64U);
  EXPECT_EQ(number_at(small_jpeg, frame + 7, 2), 128U);
  EXPECT_EQ(examples::run("thumbnails", {(root / "nowhere").string(), out.string()}).exit_code, 2);
  fs::remove_all(root);
}

}  // namespace
