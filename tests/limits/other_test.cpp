// Indices of managers' lists, and numbers that name start methods and log levels.

#include "support.hpp"

namespace limits_test {
namespace {

TEST(OtherLimits, ManagersLists) {
  const mp::Manager manager;
  const auto list = manager.list<int>({1, 2, 3});
  const auto array = manager.array<int>({1, 2, 3});
  const auto none = manager.list<int>();
  const auto get = [&](std::int64_t index) {
    return [&, index] { return list.get(index) == array.get(index); };
  };
  const auto refuse = [&](std::int64_t index) {
    return std::vector<Row>{
        {"get", Comes::out_of_range, {}, get(index)},
        {"array get", Comes::out_of_range, {}, [&, index] { return array.get(index) == 0; }},
        {"set",
         Comes::out_of_range,
         {},
         [&, index] {
           list.set(index, 1);
           return false;
         }},
        {"array set",
         Comes::out_of_range,
         {},
         [&, index] {
           array.set(index, 1);
           return false;
         }},
        {"erase",
         Comes::out_of_range,
         {},
         [&, index] {
           list.erase(index);
           return false;
         }},
        {"pop", Comes::out_of_range, {}, [&, index] { return list.pop(index) == 0; }},
    };
  };
  for (const std::int64_t index :
       {kLeastInt, kLeastInt + 1, std::int64_t{-4}, std::int64_t{3}, kMostInt - 1, kMostInt})
    run(refuse(index));
  for (const std::int64_t index : {-3, -1, 0, 2})
    run({{"get", Comes::works, {}, get(index)}});
  run({
      {"pop of none", Comes::out_of_range, {}, [&] { return none.pop() == 0; }},
      {"insert(least)",
       Comes::works,
       {},
       [&] {
         list.insert(kLeastInt, 0);
         return list.get(0) == 0;
       }},
      {"insert(most)",
       Comes::works,
       {},
       [&] {
         list.insert(kMostInt, 9);
         return list.get(-1) == 9;
       }},
  });
}

int zero() { return 0; }

TEST(OtherLimits, StartMethodsAndLevels) {
  const auto start_by = [](int method) {
    return [method] {
      mp::Process process({.start_method = static_cast<mp::StartMethod>(method)}, zero);
      process.start();
      return process.join();
    };
  };
  const auto level = [](int number) { return static_cast<mp::LogLevel>(number); };
  run({
      {"start method 99", Comes::invalid, {"99", "forkserver"}, start_by(99)},
      {"start method -1", Comes::invalid, {"-1", "forkserver"}, start_by(-1)},
      {"set_start_method(99)",
       Comes::invalid,
       {"99", "forkserver"},
       [] {
         mp::set_start_method(static_cast<mp::StartMethod>(99), true);
         return false;
       }},
      {"Manager by start method 99",
       Comes::invalid,
       {"99", "forkserver"},
       [] {
         const mp::Manager made({.start_method = static_cast<mp::StartMethod>(99)});
         return false;
       }},
      {"log_to_stderr(99)",
       Comes::invalid,
       {"99", "off"},
       [&] {
         mp::log_to_stderr(level(99));
         return false;
       }},
      {"log_to_stderr(-1)",
       Comes::invalid,
       {"-1", "off"},
       [&] {
         mp::log_to_stderr(level(-1));
         return false;
       }},
      {"set_log_sink(5)",
       Comes::invalid,
       {"5", "off"},
       [&] {
         mp::set_log_sink([](const mp::LogRecord&) {}, level(5));
         return false;
       }},
      {"set_log_sink(off)",
       Comes::works,
       {},
       [&] {
         mp::set_log_sink([](const mp::LogRecord&) {}, mp::LogLevel::off);
         return true;
       }},
      {"ProgressBar of 2^64-1",
       Comes::works,
       {},
       [] {
         const mp::ProgressBar bar("a", -1);
         bar(0, kMost);
         bar(kMost / 2, kMost);
         bar(kMost, kMost);
         bar(5, 0);
         bar(kMost, 1);
         return true;
       }},
      {"BufferEncoder::reserve(2^64-1)",
       Comes::no_memory,
       {},
       [] {
         mp::BufferEncoder().reserve(kMost);
         return false;
       }},
      {"Encoder::extend(2^64-1)",
       Comes::no_memory,
       {},
       [] { return mp::BufferEncoder().extend(kMost) == nullptr; }},
  });
}

}  // namespace
}  // namespace limits_test
