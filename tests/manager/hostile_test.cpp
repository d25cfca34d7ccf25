// Clients that have proved the key and then send anything.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../fuzz/request_target.hpp"
#include "channel/listener_support.hpp"
#include "manager/support.hpp"
#include "procession/manager_server.hpp"

namespace manager_test {
namespace {

using channel_test::key_of;
using mp::detail::arguments_mark;
using mp::detail::mark_of;
using mp::detail::TypeMark;
using mp::manager::RemoteRequest;
using request_fuzz::Bytes;
using request_fuzz::Point;

/// Requests one behind another, as the fuzzer takes them.
class Requests {
 public:
  template <class... Args>
  Requests& call(std::uint64_t object, std::string_view method, TypeMark result,
                 const Args&... args) {
    mp::BufferEncoder request;
    begin(request, RemoteRequest::call);
    mp::encode(request, object);
    return finish(request, method, result, args...);
  }
  template <class... Args>
  Requests& value(std::string_view name, TypeMark result, const Args&... args) {
    mp::BufferEncoder request;
    begin(request, RemoteRequest::value);
    return finish(request, name, result, args...);
  }
  template <class... Args>
  Requests& object(std::uint64_t reference, std::string_view name, const Args&... args) {
    mp::BufferEncoder request;
    begin(request, RemoteRequest::object);
    mp::encode(request, reference);
    return finish(request, name, TypeMark(), args...);
  }
  Requests& drop(const std::vector<std::uint64_t>& gone) {
    mp::BufferEncoder request;
    mp::encode(request, RemoteRequest::count);
    mp::encode(request, gone);
    return add(request);
  }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  static void begin(mp::BufferEncoder& request, RemoteRequest what) {
    mp::encode(request, what);
    mp::encode(request, std::vector<std::uint64_t>());
  }
  template <class... Args>
  Requests& finish(mp::BufferEncoder& request, std::string_view name, TypeMark result,
                   const Args&... args) {
    mp::encode(request, name);
    mp::manager::encode_mark(request, arguments_mark<Args...>());
    mp::manager::encode_mark(request, result);
    (mp::detail::encode_argument(request, args), ...);
    return add(request);
  }
  Requests& add(const mp::BufferEncoder& request) {
    bytes_.push_back(static_cast<std::byte>(request.size() & 255U));
    bytes_.push_back(static_cast<std::byte>(request.size() >> 8U));
    bytes_.insert(bytes_.end(), request.bytes().begin(), request.bytes().end());
    return *this;
  }

  Bytes bytes_;
};

// The references that the fuzzed client has: 1 to a Subject, 2 to a dict, 3 to a list. One that
// fails comes last.
std::map<std::string, Bytes> seeds() {
  const TypeMark nothing;
  std::map<std::string, Bytes> all;
  all["calls"] =
      Requests()
          .call(1, "add", mark_of<int>(), 3)
          .call(1, "count", mark_of<std::size_t>(), std::vector<Point>{{1, {"a", "bc"}}, {2, {}}})
          .bytes();
  all["dict"] = Requests()
                    .call(2, "set", nothing, std::string("key"), Point{1, {"name"}})
                    .call(2, "get", mark_of<Point>(), std::string("key"))
                    .call(2, "keys", mark_of<std::vector<std::string>>())
                    .call(2, "get", mark_of<Point>(), std::string("none"))
                    .bytes();
  all["list"] = Requests()
                    .call(3, "extend", nothing, std::vector<int>{1, 2, 3})
                    .call(3, "insert", nothing, std::int64_t{-1}, 7)
                    .call(3, "values", mark_of<std::vector<int>>())
                    .call(3, "pop", mark_of<int>(), std::int64_t{9})
                    .bytes();
  all["functions"] = Requests()
                         .value("sum", mark_of<std::int64_t>(), 1, 2)
                         .object(4, "Subject", 5)
                         .object(5, "semaphore", std::int64_t{1})
                         .call(5, "release", nothing, std::int64_t{2})
                         .bytes();
  all["given_back"] = Requests().drop({4}).object(4, "Subject", 5).bytes();
  all["twice"] = Requests().object(1, "Subject", 5).bytes();
  all["drops"] = Requests().drop({1, 2, 2, 9}).call(1, "add", mark_of<int>(), 3).bytes();
  return all;
}

std::filesystem::path corpus_folder() {
  return std::filesystem::path(PROCESSION_TESTS_DIR) / "fuzz/corpus/request";
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Run with PROCESSION_WRITE_CORPUS=1 to write the files anew after a change of the requests.
TEST(Requests, AreTheSeedsOfTheFuzzer) {
  for (const auto& [name, bytes] : seeds()) {
    SCOPED_TRACE(name);
    if (std::getenv("PROCESSION_WRITE_CORPUS") != nullptr) {
      std::ofstream file(corpus_folder() / name, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
    }
    EXPECT_EQ(read(corpus_folder() / name), bytes);
  }
}

TEST(Requests, EveryCutAndChangeOfThemIsAnswered) {
  for (const auto& [name, whole] : seeds()) {
    SCOPED_TRACE(name);
    request_fuzz::run(whole);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      request_fuzz::run(std::span(whole).first(size));
    }
    for (std::size_t at = 0; at != whole.size(); ++at) {
      Bytes changed = whole;
      for (const unsigned value : {0U, 1U, 2U, 127U, 128U, 255U}) {
        changed[at] = static_cast<std::byte>(value);
        request_fuzz::run(changed);
      }
    }
  }
}

/// A message of random bytes, which may be taken for a request.
struct Noise {
  mp::Connection connection;
  std::mt19937& random;

  void send() const {
    std::vector<std::byte> bytes(random() % 300);
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(random());
    switch (random() % 4) {
      case 0:
        return connection.send_bytes(bytes);
      case 1:
        return connection.send(std::string("what is this"));
      default:
        if (!bytes.empty()) bytes[0] = static_cast<std::byte>(random() % 7);
        return send_request(bytes);
    }
  }
  void send_request(const std::vector<std::byte>& bytes) const {
    // As channel/value_frame.hpp has it: it begins as a request does.
    std::vector<std::byte> message;
    mp::channel::write_value_head(message, mp::manager::kRequestPrint, mp::manager::kRequestName);
    message.insert(message.end(), bytes.begin(), bytes.end());
    connection.send_bytes(message);
  }
};

class Hostile : public testing::Test {
 protected:
  Hostile() {
    server_.share<mp::ListProxy<int>>("list");
    thread_ = std::thread([this] { server_.serve_forever(); });
  }
  ~Hostile() override {
    server_.shutdown();
    thread_.join();
  }

  mp::AuthKey key_ = key_of("secret");
  mp::ManagerServer server_{{"127.0.0.1", 0}, key_};
  std::thread thread_;
};

TEST_F(Hostile, RandomFramesAfterAGoodHandshakeHarmNobody) {
  const mp::Manager good = mp::Manager::connect(server_.address(), key_);
  const auto list = good.get<mp::ListProxy<int>>("list");
  list.append(1);
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto threads_before = threads();
  const auto descriptors_before = descriptors();
  std::mt19937 random(20261126);
  for (int client = 0; client < 200; ++client) {
    try {
      const Noise noise{mp::Client(server_.address(), {.authkey = key_}), random};
      if (client % 2 == 0) {
        // One that says which session it is, as it should.
        mp::BufferEncoder enter;
        mp::encode(enter, RemoteRequest::enter);
        mp::encode(enter, mp::manager::SessionId{random(), random()});
        mp::encode(enter, std::uint64_t{1} << 30U);
        noise.send_request({enter.bytes().begin(), enter.bytes().end()});
      }
      for (auto i = random() % 10; i != 0; --i)
        noise.send();
    } catch (const mp::ProcessError&) {
      // The server hung up.
    }
    EXPECT_EQ(list.get(0), 1);
  }
  EXPECT_EQ(mp::Manager::connect(server_.address(), key_).get<mp::ListProxy<int>>("list").size(),
            1);
  wait_until([&] { return threads() <= threads_before; });
  wait_until([&] { return descriptors() <= descriptors_before; });
}

}  // namespace
}  // namespace manager_test
