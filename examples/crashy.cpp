// crashy [TASKS]: a map of which some tasks follow a bad pointer, eat all memory or never end. Each
// of those fails alone, with what happened to it, and its worker is replaced; all others give their
// results. The serial twin, which could not survive the bad ones, is given only the good.

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <procession/procession.hpp>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include "job_report.hpp"

namespace mp = procession;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMemory = 32 << 20;  // bytes that a worker may have for itself
constexpr auto kTime = 1000ms;             // that a task may take

enum class Kind { good, crash, leak, hang };

/// Of a hundred tasks one crashes, one leaks and one hangs.
Kind kind_of(std::size_t number) {
  switch (number % 100) {
    case 17:
      return Kind::crash;
    case 42:
      return Kind::leak;
    case 77:
      return Kind::hang;
    default:
      return Kind::good;
  }
}

/// Some milliseconds of honest work.
std::uint64_t work(std::size_t number) {
  std::uint64_t value = number + 1;
  for (int i = 0; i < 1'000'000; ++i)
    value = value * 6364136223846793005U + 1442695040888963407U;
  return value;
}

/// Takes memory until somebody stops it, but not all of the machine's.
void leak() {
  static std::vector<std::unique_ptr<std::vector<char>>> taken;
  for (int mebibytes = 0; mebibytes < 1024; ++mebibytes) {
    taken.push_back(std::make_unique<std::vector<char>>(1 << 20, 'x'));
    std::this_thread::sleep_for(1ms);
  }
}

/// The task.
std::uint64_t run_task(std::size_t number) {
  switch (kind_of(number)) {
    case Kind::crash:
      std::raise(SIGSEGV);
      break;
    case Kind::leak:
      leak();
      break;
    case Kind::hang:
      std::this_thread::sleep_for(1h);
      break;
    case Kind::good:
      break;
  }
  return work(number);
}

struct Outcomes {
  std::vector<std::optional<std::uint64_t>> results;
  std::size_t crashed = 0, leaked = 0, hung = 0;
  std::vector<std::string> wrong;    // failures that are not of the kind they should be
  std::array<std::string, 3> first;  // what the first crash, leak and hang said
};

void note(Outcomes& outcomes, std::size_t number, Kind found, std::size_t& count,
          const char* text) {
  if (kind_of(number) != found) {
    outcomes.wrong.push_back("task " + std::to_string(number) + ": " + text);
  }
  if (++count == 1) outcomes.first.at(static_cast<std::size_t>(found) - 1) = text;
}

Outcomes run_all(mp::Pool& pool, std::size_t tasks) {
  Outcomes outcomes;
  auto results = pool.imap(run_task, std::views::iota(std::size_t{0}, tasks),
                           {.timeout = kTime, .progress = mp::ProgressBar("tasks")});
  for (std::size_t number = 0; number < tasks; ++number) {
    outcomes.results.emplace_back();
    try {
      outcomes.results.back() = results.next();
    } catch (const mp::WorkerLost& lost) {
      const bool crash = lost.exitcode() == -SIGSEGV;
      note(outcomes, number, crash ? Kind::crash : Kind::leak,
           crash ? outcomes.crashed : outcomes.leaked, lost.what());
    } catch (const mp::TimeoutError& late) {
      note(outcomes, number, Kind::hang, outcomes.hung, late.what());
    }
  }
  return outcomes;
}

std::vector<std::optional<std::uint64_t>> run_good(std::size_t tasks) {
  std::vector<std::optional<std::uint64_t>> results(tasks);
  for (std::size_t number = 0; number < tasks; ++number) {
    if (kind_of(number) == Kind::good) results[number] = work(number);
  }
  return results;
}

int run(std::size_t tasks) {
  mp::Pool pool(mp::PoolOptions{.max_memory_per_child = kMemory});
  double parallel = 0, serial = 0;
  const Outcomes outcomes = job::timed(parallel, [&] { return run_all(pool, tasks); });
  const auto twin = job::timed(serial, [&] { return run_good(tasks); });
  std::printf("%zu tasks: %zu good, %zu crashed, %zu over their memory, %zu over their time\n",
              tasks, tasks - outcomes.crashed - outcomes.leaked - outcomes.hung, outcomes.crashed,
              outcomes.leaked, outcomes.hung);
  for (const std::string& text : outcomes.first) {
    if (!text.empty()) std::printf("  %s\n", text.c_str());
  }
  for (const std::string& text : outcomes.wrong)
    std::printf("WRONG: %s\n", text.c_str());
  return job::report(pool.size(), parallel, serial,
                     outcomes.wrong.empty() && outcomes.results == twin);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  std::size_t tasks = 1000;
  if (argc > 2 || (argc == 2 && !job::read_number(argv[1], 1'000'000, tasks))) {
    std::fputs("usage: crashy [TASKS]: how many tasks, 1 to 1000000 (1000)\n", stderr);
    return 2;
  }
  try {
    return run(tasks);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crashy: %s\n", error.what());
    return 1;
  }
}
