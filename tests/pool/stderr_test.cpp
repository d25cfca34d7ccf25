// What workers write to their standard error.

#include <fcntl.h>

#include <csignal>
#include <cstdio>
#include <iostream>

#include "procession/context.hpp"
#include "procession/error.hpp"
#include "support.hpp"

namespace procession::pooltest {
namespace {

void say(const std::string& text) { std::cerr << text << std::flush; }
void say_and_abort(const std::string& text) {
  std::signal(SIGABRT, SIG_DFL);  // as without a sanitizer's handler
  say(text);
  std::abort();
}
void say_and_exit(const std::string& text) {
  say(text);
  ::_exit(5);
}

/// What `run` loses a worker over.
template <class Run>
std::string text_of_loss(Run run) {
  try {
    run();
  } catch (const WorkerLost& lost) {
    return lost.what();
  }
  ADD_FAILURE() << "no worker was lost";
  return {};
}

class PoolStderr : public testing::TestWithParam<StartMethod> {
 protected:
  [[nodiscard]] static PoolOptions options(std::size_t processes) {
    return {.processes = processes, .start_method = GetParam()};
  }
};

TEST_P(PoolStderr, AppearsOnTheOwners) {
  testing::internal::CaptureStderr();
  {
    Pool pool(options(2));
    for (int i = 0; i < 20; ++i) {
      pool.apply(say, "line " + std::to_string(i) + "\n");
    }
    pool.close();
  }
  const std::string seen = testing::internal::GetCapturedStderr();
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(seen.find("line " + std::to_string(i) + "\n"), std::string::npos) << i;
  }
}

TEST_P(PoolStderr, IsOutBeforeTheResult) {
  testing::internal::CaptureStderr();
  std::string expected;
  {
    Pool pool(options(2));
    const auto also = [&](const std::string& text) {
      std::cerr << text;
      expected += text;
    };
    for (int i = 0; i < 50; ++i) {
      const std::string number = std::to_string(i) + "\n";
      pool.apply(say, "C++ " + number);
      expected += "C++ " + number;
      also("main " + number);
      pool.apply([](const std::string& text) { std::fputs(text.c_str(), stderr); }, "C " + number);
      expected += "C " + number;
      also("main " + number);
      for ([[maybe_unused]] const int one : pool.imap(
               procession::bind(
                   [](const std::string& text, int x) { return say("imap " + text), x; }, number),
               {1})) {
        expected += "imap " + number;
        also("main " + number);
      }
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), expected);
}

TEST_P(PoolStderr, LastLinesAreInTheLoss) {
  testing::internal::CaptureStderr();
  std::string text;
  {
    Pool pool(options(1));
    text = text_of_loss([&] { pool.apply(say_and_abort, "opened the file\nno such shape: 7\n"); });
    EXPECT_NE(text.find("its last lines on stderr:\nopened the file\nno such shape: 7"),
              std::string::npos)
        << text;
    text = text_of_loss([&] { pool.apply(say_and_exit, "cannot go on"); });
    EXPECT_NE(text.find("cannot go on"), std::string::npos) << text;
    // A new worker has said nothing.
    text = text_of_loss([&] { pool.apply(say_and_exit, ""); });
    EXPECT_EQ(text.find("stderr"), std::string::npos) << text;
  }
  const std::string seen = testing::internal::GetCapturedStderr();
  EXPECT_NE(seen.find("no such shape: 7\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("cannot go on"), std::string::npos) << seen;
}

TEST_P(PoolStderr, OfMuchTheLossKeepsTheEndInWholeLines) {
  std::string all;
  for (int i = 0; i < 20000; ++i) {
    all += "this is line " + std::to_string(i) + "\n";
  }
  testing::internal::CaptureStderr();
  std::string text;
  {
    Pool pool(options(1));
    text = text_of_loss([&] { pool.apply(say_and_abort, all); });
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), all);
  EXPECT_NE(text.find("this is line 19999"), std::string::npos);
  EXPECT_LT(text.size(), 2000U);
  const std::size_t lines = text.find("stderr:\n");
  ASSERT_NE(lines, std::string::npos);
  EXPECT_EQ(text.compare(lines + 8, 13, "this is line "), 0) << text;
}

std::string method_name(const testing::TestParamInfo<StartMethod>& of) {
  return to_string(of.param);
}

INSTANTIATE_TEST_SUITE_P(By, PoolStderr,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork),
                         method_name);

TEST(PoolStderrHeld, AStreamThatNobodyReadsHoldsUpNoOtherTask) {
  // A full pipe as this process's standard error: what a worker writes waits, all else goes on.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(2);
  ::dup2(ends[1], 2);
  ::close(ends[1]);
  {
    Pool pool(1);
    for (int i = 0; i < 24; ++i) {
      // All in all more than the pipe takes (some 16 of them), and less than it and the worker's
      // own.
      pool.apply(say, std::string(3000, 'x') + "\n");
    }
    int status = 0;
    try {
      pool.apply(say_and_exit, "");
    } catch (const WorkerLost& lost) {
      status = lost.exitcode();
    }
    EXPECT_EQ(status, 5);
    EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 1), 2);
    // Somebody reads at last.
    std::thread reader([&] {
      std::size_t left = 24 * 3001;
      std::vector<char> buffer(1U << 16U);
      while (left != 0) {
        const auto got = ::read(ends[0], buffer.data(), buffer.size());
        ASSERT_GT(got, 0);
        left -= static_cast<std::size_t>(got);
      }
    });
    reader.join();
  }
  ::dup2(saved, 2);
  ::close(saved);
  ::close(ends[0]);
}

TEST(PoolStderrHeld, ANonBlockingStreamGetsAllOfIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(2);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  ::dup2(ends[1], 2);
  ::close(ends[1]);
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    expected += std::string(3000, 'x') + std::to_string(i) + "\n";
  }
  std::string seen;
  std::thread reader;
  {
    Pool pool(1);
    for (int i = 0; i < 40; ++i) {
      if (i == 24) {
        // The pipe is full, and so is what is in front of it; only now somebody reads.
        reader = std::thread([&] {
          std::vector<char> buffer(1U << 12U);
          while (seen.size() < expected.size()) {
            const auto got = ::read(ends[0], buffer.data(), buffer.size());
            if (got <= 0) {
              break;
            }
            seen.append(buffer.data(), static_cast<std::size_t>(got));
          }
        });
      }
      pool.apply(say, std::string(3000, 'x') + std::to_string(i) + "\n");
    }
    pool.close();
    pool.join();
  }
  ::dup2(saved, 2);
  ::close(saved);  // the last end for writing: who waits for more sees that there is none
  reader.join();
  EXPECT_TRUE(seen == expected) << seen.size() << " of " << expected.size();
  ::close(ends[0]);
}

}  // namespace
}  // namespace procession::pooltest
