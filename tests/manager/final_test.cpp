// What a client that is killed inside a call has done: it is there when the death is known, or
// never will be.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "channel/frame.hpp"
#include "channel/value_frame.hpp"
#include "manager/remote_wire.hpp"
#include "manager/served_support.hpp"
#include "manager/wire.hpp"

namespace manager_test {
namespace {

using namespace std::chrono_literals;
using process_test::Board;
using process_test::board;
using process_test::sleep_for_ever;

/// What the processes of a test tell each other.
struct Stages {
  std::atomic<int> held;     ///< a call has the object
  std::atomic<int> arrived;  ///< arguments that the server has decoded
  std::atomic<int> ready;
  std::atomic<bool> go;
};

/// An argument whose arrival shows.
struct Announced {
  std::uint64_t place = 0;

  friend void encode(mp::Encoder& encoder, const Announced& value) {
    mp::encode(encoder, value.place);
  }
  friend void decode(mp::Decoder& decoder, Announced& value) {
    mp::decode(decoder, value.place);
    ++board<Stages>(value.place).arrived;
  }
};

class Tally {
 public:
  void hold(std::uint64_t place) {
    ++board<Stages>(place).held;
    wait_until([&] { return board<Stages>(place).go.load(); });
  }
  void add(const Announced& /*when*/) { ++total_; }
  void hold_and_add(std::uint64_t place) {
    hold(place);
    ++total_;
  }
  [[nodiscard]] int total() const { return total_; }

 private:
  int total_ = 0;
};

/// Nothing happens any more that `look` sees.
template <class F>
void expect_stays(F look) {
  const auto before = look();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(look(), before);
    std::this_thread::sleep_for(1ms);
  }
}

class FinalCalls : public Managed {};
PROCESSION_BY_ALL_METHODS(FinalCalls);

TEST_P(FinalCalls, OneThatWaitedForTheObjectWhenItsCallerWasKilledIsNotMade) {
  const mp::Manager manager = make_manager();
  const Board<Stages> stages;
  const auto tally = manager.create<Tally>();
  std::thread holder([&] { tally.call<&Tally::hold>(stages.place()); });
  wait_until([&] { return stages->held == 1; });
  mp::Process process = started(
      StartMethod::forkserver,
      [](const mp::Proxy<Tally>& shared, std::uint64_t place) {
        shared.call<&Tally::add>(Announced{place});
      },
      tally, stages.place());
  wait_until([&] { return stages->arrived == 1; });
  kill_and_join(process);
  stages->go = true;
  holder.join();
  EXPECT_EQ(tally.call<&Tally::total>(), 0);
  expect_stays([&] { return tally.call<&Tally::total>(); });
}

TEST_P(FinalCalls, OneThatHasBegunIsSeenByWhoeverCallsLaterAndItsCallersLocksAreFreeThen) {
  const mp::Manager manager = make_manager();
  const Board<Stages> stages;
  const auto tally = manager.create<Tally>();
  const auto lock = manager.lock();
  mp::Process process = started(
      StartMethod::forkserver,
      [](const mp::Proxy<Tally>& shared, const mp::LockProxy& taken, std::uint64_t place) {
        taken.lock();
        shared.call<&Tally::hold_and_add>(place);
      },
      tally, lock, stages.place());
  wait_until([&] { return stages->held == 1; });
  kill_and_join(process);
  EXPECT_FALSE(lock.try_lock_for(100ms)) << "its call still runs";
  std::atomic<int> seen{-1};
  std::thread observer([&] { seen = tally.call<&Tally::total>(); });
  stages->go = true;
  observer.join();
  EXPECT_EQ(seen, 1);
  lock.lock();
  EXPECT_TRUE(lock.owner_died());
  lock.unlock();
}

/// What a client asks for of which nobody is to see anything.
struct Objects {
  mp::ValueProxy<int> value;
  mp::ListProxy<int> list;
  mp::DictProxy<int, int> dict;
  mp::QueueProxy<int> queue;
  mp::EventProxy event;
  mp::SemaphoreProxy semaphore;
  mp::LockProxy lock;
};

void ask(const Objects& all, int what) {
  switch (what) {
    case 0:
      all.value += 1;
      break;
    case 1:
      all.list.append(1);
      break;
    case 2:
      all.dict.set(1, 1);
      break;
    case 3:
      all.queue.put(1);
      break;
    case 4:
      all.event.set();
      break;
    case 5:
      all.semaphore.release();
      break;
    default:
      all.lock.lock();
  }
}
constexpr int kAsked = 7;

/// Returns when no thread of the process runs any more.
void stop(int pid) {
  ::kill(pid, SIGSTOP);
  const std::string threads = "/proc/" + std::to_string(pid) + "/task";
  wait_until([&] {
    const std::filesystem::directory_iterator all(threads);
    return std::all_of(begin(all), end(all), [](const auto& thread) {
      std::ifstream file(thread.path() / "stat");
      std::string text;
      std::getline(file, text);
      return text.find(") T ") != std::string::npos;
    });
  });
}

class FinalCallsOfProcesses : public Managed {};
PROCESSION_BY_PROCESS_METHODS(FinalCallsOfProcesses);

/// The server is stopped while requests come, and goes on when all who sent them have been killed.
TEST_P(FinalCallsOfProcesses, ThoseThatTheServerWasNotYetAtAreNotMade) {
  const mp::Manager manager = make_manager();
  const Board<Stages> stages;
  const Objects all{manager.value<int>(), manager.list<int>(), manager.dict<int, int>(),
                    manager.queue<int>(), manager.event(),     manager.semaphore(0),
                    manager.lock()};
  std::vector<mp::Process> clients;
  for (int i = 0; i < kAsked; ++i) {
    clients.push_back(started(
        StartMethod::forkserver,
        [](const Objects& shared, int what, std::uint64_t place) {
          static_cast<void>(shared.value.value());  // has a pipe from here on
          ++board<Stages>(place).ready;
          wait_until([&] { return board<Stages>(place).go.load(); });
          ask(shared, what);
          sleep_for_ever();
        },
        all, i, stages.place()));
  }
  wait_until([&] { return stages->ready == kAsked; });
  stop(manager.pid());
  stages->go = true;
  std::this_thread::sleep_for(100ms);  // most likely all have been sent by now
  for (mp::Process& client : clients)
    kill_and_join(client);
  ::kill(manager.pid(), SIGCONT);
  EXPECT_EQ(all.value.value(), 0);
  EXPECT_TRUE(all.lock.try_lock());
  EXPECT_FALSE(all.lock.owner_died());
  expect_stays([&] {
    return std::tuple(all.value.value(), all.list.size(), all.dict.size(), all.queue.size(),
                      all.event.is_set(), all.semaphore.value());
  });
  EXPECT_EQ(all.value.value(), 0);
  EXPECT_EQ(all.list.size(), 0);
  EXPECT_EQ(all.dict.size(), 0);
  EXPECT_EQ(all.queue.size(), 0);
  EXPECT_FALSE(all.event.is_set());
  EXPECT_EQ(all.semaphore.value(), 0);
}

TEST_P(FinalCallsOfProcesses, OfWhatWaitedForOtherCallsNothingComesLater) {
  const mp::Manager manager = make_manager();
  const Board<Stages> stages;
  const auto queue = manager.queue<int>(1);
  queue.put(1);
  mp::Process producer = started(
      GetParam(),
      [](const mp::QueueProxy<int>& shared, std::uint64_t place) {
        static_cast<void>(shared.size());
        board<Stages>(place).ready = 1;
        shared.put(2);
      },
      queue, stages.place());
  wait_until([&] { return stages->ready == 1; });
  std::this_thread::sleep_for(50ms);  // most likely it waits by now
  kill_and_join(producer);
  EXPECT_EQ(queue.get(), 1);
  expect_stays([&] { return queue.size(); });
  EXPECT_TRUE(queue.empty());
}

// A thread that ends takes nothing back, and one that calls as it ends is answered.
struct CallsAtItsEnd {
  mp::ValueProxy<int> value;
  ~CallsAtItsEnd() { value += 1; }
};

TEST_P(FinalCalls, ThoseOfAThreadThatIsEndingAreMade) {
  const mp::Manager manager = make_manager();
  const auto value = manager.value<int>();
  std::thread([&] {
    static thread_local CallsAtItsEnd last;
    last.value = value;
    value += 1;
  }).join();
  EXPECT_EQ(value.value(), 2);
}

TEST_P(FinalCalls, ThoseOfAForkAreItsOwn) {
  const mp::Manager manager = make_manager();
  const auto value = manager.value<int>();
  value += 1;
  std::thread([&] {
    value += 1;
    mp::Process process = started(StartMethod::fork, [&] { value += 1; });
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
    value += 1;
  }).join();
  EXPECT_EQ(value += 1, 5);
}

/// A server in this process, of objects that calls may have for long.
class FinalRemoteCalls : public testing::Test {
 protected:
  FinalRemoteCalls() {
    server_->register_callable("tally", [this]() -> Tally& { return tally_; });
    server_->register_callable("add", [this](const Announced& when) { tally_.add(when); });
    server_->register_type<Tally>("Tally", mp::method<&Tally::hold>("hold"),
                                  mp::method<&Tally::add>("add"),
                                  mp::method<&Tally::total>("total"));
    server_.start();
  }

  Tally tally_;
  Serving server_;
};

TEST_F(FinalRemoteCalls, OneThatWaitedForTheObjectWhenItsCallerWasKilledIsNotMade) {
  const Board<Stages> stages;
  const mp::Manager manager = server_.connect();
  const auto tally = manager.get<mp::Proxy<Tally>>("tally");
  std::thread holder([&] { tally.call("hold", stages.place()); });
  wait_until([&] { return stages->held == 1; });
  mp::Process process = started(
      StartMethod::forkserver,
      [](const mp::Address& address, std::uint64_t place) {
        const mp::Manager server = mp::Manager::connect(address, Serving::key());
        server.get<mp::Proxy<Tally>>("tally").call("add", Announced{place});
      },
      server_.address(), stages.place());
  wait_until([&] { return stages->arrived == 1; });
  kill_and_join(process);
  stages->go = true;
  holder.join();
  EXPECT_EQ(tally.call<int>("total"), 0);
  expect_stays([&] { return tally.call<int>("total"); });
}

/// A client that has said who it is, and sends what it likes.
class RawClient {
 public:
  explicit RawClient(const mp::Address& address)
      : connection_(mp::Client(address, {.authkey = Serving::key()})) {
    skip_value();  // the welcome
    mp::BufferEncoder enter;
    mp::encode(enter, mp::manager::RemoteRequest::enter);
    mp::encode(enter, mp::manager::SessionId{1, 2});
    mp::encode(enter, std::uint64_t{1} << 30U);
    send(framed(enter));
    skip_value();
  }

  /// The request for the value of "add".
  static std::vector<std::byte> add_request(std::uint64_t place) {
    mp::BufferEncoder request;
    mp::encode(request, mp::manager::RemoteRequest::value);
    mp::encode(request, std::vector<std::uint64_t>());
    mp::encode(request, std::string_view("add"));
    mp::manager::encode_mark(request, mp::detail::arguments_mark<Announced>());
    mp::manager::encode_mark(request, {});
    mp::encode(request, Announced{place});
    return framed(request);
  }
  void send(std::span<const std::byte> bytes) const {
    ASSERT_EQ(::send(connection_.fileno(), bytes.data(), bytes.size(), 0), std::ssize(bytes));
  }

 private:
  void skip_value() const {
    EXPECT_THROW(static_cast<void>(connection_.recv_bytes()), mp::TypeMismatch);
  }
  static std::vector<std::byte> framed(const mp::BufferEncoder& request) {
    std::vector<std::byte> message;
    mp::channel::write_value_head(message, mp::manager::kRequestPrint, mp::manager::kRequestName);
    message.insert(message.end(), request.bytes().begin(), request.bytes().end());
    const mp::channel::FrameHead head(message.size());
    message.insert(message.begin(), head.bytes().begin(), head.bytes().end());
    return message;
  }

  mp::Connection connection_;
};

TEST_F(FinalRemoteCalls, OfWhichOnlyAPartWasSentAreNotMade) {
  const Board<Stages> stages;
  const std::vector<std::byte> whole = RawClient::add_request(stages.place());
  for (std::size_t size = 1; size < whole.size(); size += 7) {
    const RawClient client(server_.address());
    client.send(std::span(whole).first(size));
  }
  {
    const RawClient client(server_.address());
    client.send(whole);
    wait_until([&] { return stages->arrived != 0; });
  }
  const auto tally = server_.connect().get<mp::Proxy<Tally>>("tally");
  wait_until([&] { return tally.call<int>("total") != 0; });
  expect_stays([&] { return tally.call<int>("total"); });
  EXPECT_EQ(stages->arrived, 1);
}

}  // namespace
}  // namespace manager_test
