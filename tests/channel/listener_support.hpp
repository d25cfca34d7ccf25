#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channel/value_frame.hpp"
#include "process/support.hpp"
#include "procession/connection.hpp"

// What the tests of Listener and Client share.
namespace channel_test {

namespace mp = procession;

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline mp::AuthKey key_of(std::string_view text) { return bytes_of(text); }

inline std::string fresh_path() {
  static int made = 0;
  return testing::TempDir() + "procession_test_" + std::to_string(::getpid()) + "_" +
         std::to_string(++made) + ".sock";
}

/// A connection to the listener: the client's end, and the one that was accepted.
inline std::pair<mp::Connection, mp::Connection> meet(
    mp::Listener& listener, const std::optional<mp::AuthKey>& key = std::nullopt) {
  auto accepted = std::async(std::launch::async, [&] { return listener.accept(); });
  mp::Connection client = mp::Client(listener.address(), {.authkey = key});
  return {std::move(client), accepted.get()};
}

}  // namespace channel_test
