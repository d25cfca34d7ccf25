// A loop becomes a pool: five tasks of a second each, on three workers, take two seconds. What a
// task returns may be any plain struct.

#include <procession/procession.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

namespace mp = procession;
using Clock = std::chrono::steady_clock;

struct Timed {
  int value;
  Clock::time_point from, until;
};

Timed square(int number) {
  const Clock::time_point from = Clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return {number * number, from, Clock::now()};
}

int main() {
  mp::init();
  mp::Pool pool(3);

  const Clock::time_point start = Clock::now();
  const std::vector<Timed> squares = pool.map(square, {1, 2, 3, 4, 5});
  const std::chrono::duration<double> seconds = Clock::now() - start;

  for (const Timed& task : squares)
    std::cout << task.value << " ";
  std::ptrdiff_t most = 0;  // how many tasks ran when one of them began
  for (const Timed& one : squares) {
    most = std::max(most, std::ranges::count_if(squares, [&](const Timed& other) {
                      return other.from <= one.from && one.from < other.until;
                    }));
  }
  std::cout << "\n" << most << " at a time, " << seconds.count() << " s\n";
}
