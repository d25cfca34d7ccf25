#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "procession/log.hpp"

namespace procession {
namespace {

/// All that can be read from `descriptor` now.
std::string drain(int descriptor) {
  std::string text;
  char piece[4096];
  pollfd ready{descriptor, POLLIN, 0};
  while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
    const ssize_t got = read(descriptor, piece, sizeof piece);
    if (got <= 0) break;
    text.append(piece, static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

/// A bar that draws into a pipe.
class ProgressInPipe : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_), 0); }
  void TearDown() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  std::string seen() { return drain(ends_[0]); }

  int ends_[2] = {-1, -1};
};

TEST_F(ProgressInPipe, OneLinePerTenPercent) {
  const ProgressBar bar("files", ends_[1]);
  for (std::size_t done = 1; done <= 1000; ++done)
    bar(done, 1000);
  const std::vector<std::string> lines = lines_of(seen());
  ASSERT_EQ(lines.size(), 10U);
  EXPECT_TRUE(lines.front().starts_with("files: 10 % (100 of 1000), ")) << lines.front();
  EXPECT_TRUE(lines.back().starts_with("files: 100 % (1000 of 1000), ")) << lines.back();
}

TEST_F(ProgressInPipe, FewPartsPrintFewLines) {
  const ProgressBar bar("", ends_[1]);
  for (std::size_t done = 0; done <= 3; ++done)
    bar(done, 3);
  const std::vector<std::string> lines = lines_of(seen());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("33 % (1 of 3), "));
  EXPECT_TRUE(lines[1].starts_with("66 % (2 of 3), "));
  EXPECT_TRUE(lines[2].starts_with("100 % (3 of 3), "));
}

TEST_F(ProgressInPipe, AJobWithoutPartsIsDone) {
  ProgressBar("none", ends_[1])(0, 0);
  EXPECT_TRUE(seen().starts_with("none: 100 % (0 of 0), "));
}

TEST_F(ProgressInPipe, HundredPercentOnlyWhenAllIsDone) {
  const ProgressBar bar("x", ends_[1]);
  bar(999'999, 1'000'000);
  EXPECT_TRUE(seen().starts_with("x: 99 % "));
  bar(2'000'000, 1'000'000);  // more than all is all
  EXPECT_TRUE(seen().starts_with("x: 100 % (1000000 of 1000000)"));
}

TEST_F(ProgressInPipe, CopiesAreOneBarAndLateCallsAreIgnored) {
  const ProgressBar bar("x", ends_[1]);
  const std::function<void(std::size_t, std::size_t)> copy = bar;
  copy(5, 10);
  bar(5, 10);
  copy(3, 10);
  EXPECT_EQ(lines_of(seen()).size(), 1U);
}

TEST_F(ProgressInPipe, ServesTheNextJobToo) {
  const ProgressBar bar("x", ends_[1]);
  for (int job = 0; job < 2; ++job) {
    bar(1, 2);
    bar(2, 2);
  }
  EXPECT_EQ(lines_of(seen()).size(), 4U);
}

TEST_F(ProgressInPipe, ManyThreadsMayReport) {
  const ProgressBar bar("x", ends_[1]);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([bar] {
      for (std::size_t done = 1; done < 500; ++done)
        bar(done, 500);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  bar(500, 500);
  EXPECT_EQ(lines_of(seen()).size(), 10U);
}

TEST(ProgressBar, AClosedDescriptorIsNoError) {
  const ProgressBar bar("x", -1);
  bar(1, 2);
  bar(2, 2);
}

/// A bar that draws on a terminal of 60 columns.
class ProgressOnTerminal : public testing::Test {
 protected:
  void SetUp() override {
    const char* kind = getenv("TERM");
    old_kind_ = kind == nullptr ? "" : kind;
    setenv("TERM", "xterm", 1);
    screen_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (screen_ < 0 || grantpt(screen_) != 0 || unlockpt(screen_) != 0) {
      GTEST_SKIP() << "this machine has no pseudo-terminals";
    }
    program_ = open(ptsname(screen_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_GE(program_, 0);
    const winsize size{24, 60, 0, 0};
    ASSERT_EQ(ioctl(screen_, TIOCSWINSZ, &size), 0);
  }
  void TearDown() override {
    if (program_ >= 0) close(program_);
    if (screen_ >= 0) close(screen_);
    if (old_kind_.empty()) {
      unsetenv("TERM");
    } else {
      setenv("TERM", old_kind_.c_str(), 1);
    }
  }

  /// What the terminal showed: each drawing without its escapes.
  std::vector<std::string> drawings() {
    std::vector<std::string> found;
    std::string text = drain(screen_);
    for (std::size_t from = text.find('\r'); from != std::string::npos;) {
      const std::size_t next = text.find('\r', from + 1);
      std::string one = text.substr(from + 1, next == std::string::npos ? next : next - from - 1);
      if (const auto escape = one.find("\x1b[K"); escape != std::string::npos) one.erase(escape, 3);
      if (one != "\n") found.push_back(one);
      from = next;
    }
    return found;
  }

  int screen_ = -1, program_ = -1;
  std::string old_kind_;
};

TEST_F(ProgressOnTerminal, RedrawsOneLineAndEndsIt) {
  const ProgressBar bar("files", program_);
  for (std::size_t done = 0; done <= 100'000; ++done)
    bar(done, 100'000);
  const std::vector<std::string> seen = drawings();
  ASSERT_GE(seen.size(), 2U);
  EXPECT_LT(seen.size(), 50'000U);  // it does not draw every call
  EXPECT_TRUE(seen.front().starts_with("files [....")) << seen.front();
  EXPECT_TRUE(seen.front().find("  0 % 0/100000 ") != std::string::npos) << seen.front();
  EXPECT_TRUE(seen.back().find("##] 100 % 100000/100000 ") != std::string::npos) << seen.back();
  for (const std::string& drawing : seen)
    EXPECT_LT(drawing.size(), 60U) << drawing;
}

TEST_F(ProgressOnTerminal, OnlyTheLastDrawingEndsTheLine) {
  const ProgressBar bar("files", program_);
  bar(1, 2);
  EXPECT_EQ(drain(screen_).find('\n'), std::string::npos);
  bar(2, 2);
  EXPECT_TRUE(drain(screen_).ends_with("\r\n"));
}

TEST_F(ProgressOnTerminal, AnAbandonedJobLeavesACleanLine) {
  {
    ProgressBar("files", program_)(1, 2);
  }
  EXPECT_TRUE(drain(screen_).ends_with("\x1b[K\r\n"));
}

TEST_F(ProgressOnTerminal, ANarrowTerminalLosesTheBarFirst) {
  const winsize size{24, 24, 0, 0};
  ASSERT_EQ(ioctl(screen_, TIOCSWINSZ, &size), 0);
  ProgressBar("files", program_)(2, 2);
  const std::vector<std::string> seen = drawings();
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(seen.front().starts_with("files  100 % 2/2")) << seen.front();
}

/// Columns of what these tests draw: characters beyond U+2E80 are wide, and those of the block of
/// combining marks have no column of their own.
std::size_t columns_of(const std::string& text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0U) == 0x80) continue;
    const bool combines = byte == 0xcc;
    columns += combines ? 0 : byte >= 0xe3 ? 2 : 1;
  }
  return columns;
}

TEST_F(ProgressOnTerminal, WideCharactersTakeTwoColumns) {
  const std::string files = "\u30d5\u30a1\u30a4\u30eb";  // four of them
  ProgressBar(files, program_)(1, 2);
  const std::vector<std::string> seen = drawings();
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(seen.front().starts_with(files + " [#")) << seen.front();
  EXPECT_EQ(columns_of(seen.front()), 59U) << "the bar fills what is left: " << seen.front();
}

TEST_F(ProgressOnTerminal, CombiningMarksTakeNone) {
  ProgressBar("caf" + std::string("e\u0301"), program_)(1, 2);
  const std::vector<std::string> seen = drawings();
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(columns_of(seen.front()), 59U) << seen.front();
}

TEST_F(ProgressOnTerminal, ALongLabelLeavesRoomForTheNumbers) {
  for (const int width : {60, 40, 30, 20, 16, 9}) {
    const auto columns = static_cast<unsigned short>(width);
    const winsize size{24, columns, 0, 0};
    ASSERT_EQ(ioctl(screen_, TIOCSWINSZ, &size), 0);
    for (const std::string& letter : {std::string("x"), std::string("\u5b57")}) {
      std::string label;
      for (int i = 0; i < 100; ++i)
        label += letter;
      ProgressBar(label, program_)(1, 2);
      const std::vector<std::string> seen = drawings();
      ASSERT_FALSE(seen.empty());
      EXPECT_LT(columns_of(seen.front()), columns) << seen.front();
      EXPECT_NE(seen.front().find(" 50 %"), std::string::npos) << seen.front();
      EXPECT_TRUE(columns < 12 || seen.front().starts_with(letter)) << seen.front();
      EXPECT_TRUE(columns < 30 || seen.front().find(" 1/2 ") != std::string::npos) << seen.front();
    }
  }
}

TEST_F(ProgressOnTerminal, ControlCharactersOfALabelAreNotSent) {
  ProgressBar("a\x1b[2Jb\r\nc\td\x7f\u009b\u202e" + std::string("\xff") + "e", program_)(1, 2);
  const std::vector<std::string> seen = drawings();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen.front().starts_with("a [2Jb  c d   ?e [")) << seen.front();
}

TEST_F(ProgressInPipe, ALabelIsOneLine) {
  ProgressBar("two\nlines\x1b[31m", ends_[1])(1, 1);
  const std::vector<std::string> lines = lines_of(seen());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with("two lines [31m: 100 %")) << lines[0];
}

TEST_F(ProgressOnTerminal, ADumbTerminalGetsLines) {
  setenv("TERM", "dumb", 1);
  const ProgressBar bar("files", program_);
  bar(1, 2);
  EXPECT_TRUE(drain(screen_).starts_with("files: 50 % (1 of 2)"));
}

}  // namespace
}  // namespace procession
