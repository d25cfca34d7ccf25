// wait() for what is closed says so, and which of them it is.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "procession/connection.hpp"
#include "procession/error.hpp"
#include "procession/process.hpp"

namespace channel_test {
namespace {

namespace mp = procession;
using namespace std::chrono_literals;

/// What it throws says.
template <class Wait>
std::string refusal(Wait wait) {
  try {
    static_cast<void>(wait());
  } catch (const mp::ProcessError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A number that is no descriptor's.
int closed_descriptor() {
  const int number = ::dup(0);
  ::close(number);
  return number;
}

TEST(WaitClosed, ADescriptorIsNamed) {
  auto [first, second] = mp::Pipe();
  second.send(1);
  const int closed = closed_descriptor();
  const std::string text = refusal([&] { return mp::wait({first, closed}, 0ms); });
  EXPECT_TRUE(says(text, "index 1 of 2 is descriptor " + std::to_string(closed))) << text;
  EXPECT_EQ(mp::wait({first}, 0ms), std::vector<std::size_t>{0});
}

TEST(WaitClosed, AConnectionIsNamed) {
  auto [first, second] = mp::Pipe();
  auto [third, fourth] = mp::Pipe();
  third.close();
  std::string text = refusal([&] { return mp::wait({first, second, third}, 0ms); });
  EXPECT_TRUE(says(text, "connection at index 2")) << text;
  const mp::Connection taken = std::move(second);
  text = refusal([&] { return mp::wait({first, second}, 0ms); });
  EXPECT_TRUE(says(text, "connection at index 1")) << text;
}

TEST(WaitClosed, AListenerThatWasMovedFromIsNamed) {
  mp::Listener listener;
  const mp::Listener taken = std::move(listener);
  const std::string text = refusal([&] { return mp::wait({taken, listener}, 0ms); });
  EXPECT_TRUE(says(text, "listener at index 1")) << text;
}

TEST(WaitClosed, AListenerThatWasClosedIsNamed) {
  mp::Listener listener;
  mp::Listener closed;
  closed.close();
  std::string text = refusal([&] { return mp::wait({listener, closed}, 0ms); });
  EXPECT_TRUE(says(text, "listener at index 1")) << text;
  std::thread closing([&] { listener.close(); });
  text = refusal([&] { return mp::wait({listener}); });
  EXPECT_TRUE(says(text, "listener at index 0")) << text;
  closing.join();
}

TEST(WaitClosed, ASentinelOfAClosedProcess) {
  mp::Process process([] {});
  process.start();
  const int sentinel = process.sentinel();
  process.join();
  process.close();
  EXPECT_TRUE(says(refusal([&] { return process.sentinel(); }), "closed"));
  const std::string text = refusal([&] { return mp::wait({sentinel}, 0ms); });
  EXPECT_TRUE(says(text, "index 0 of 1 is descriptor")) << text;
}

TEST(WaitClosed, PollOfAConnectionWhoseDescriptorSomebodyClosed) {
  auto [first, second] = mp::Pipe();
  const int number = first.fileno();
  const int kept = ::dup(number);
  ::close(number);
  EXPECT_TRUE(says(refusal([&] { return first.poll(1ms); }), "not open"));
  ::dup2(kept, number);
  ::close(kept);
}

}  // namespace
}  // namespace channel_test
