// 22: a ProcessPoolExecutor: calls are submitted, mapped, and had in the order in which they end.

#include <chrono>
#include <iostream>
#include <procession/procession.hpp>
#include <thread>
#include <vector>

namespace mp = procession;

int slow_square(int x, int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return x * x;
}
int cube(int x) { return x * x * x; }

int main() {
  mp::init();
  mp::ProcessPoolExecutor executor(3);

  std::vector<mp::Future<int>> futures;
  futures.push_back(executor.submit(slow_square, 1, 400));
  futures.push_back(executor.submit(slow_square, 2, 200));
  futures.push_back(executor.submit(slow_square, 3, 0));

  std::cout << "as they end:";
  for (const mp::Future<int>& future : mp::as_completed(futures))
    std::cout << ' ' << future.result();
  std::cout << "\nas submitted:";
  for (const mp::Future<int>& future : futures)
    std::cout << ' ' << future.result();
  std::cout << "\nmapped:";
  for (int y : executor.map(cube, {1, 2, 3}))
    std::cout << ' ' << y;
  std::cout << '\n';
}
