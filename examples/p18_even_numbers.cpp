// 18: a child puts the even numbers of 0 to 9 on a Queue.

#include <iostream>
#include <procession/procession.hpp>
#include <vector>

namespace mp = procession;

void put_even(const std::vector<int>& numbers, const mp::Queue<int>& queue) {
  for (int number : numbers) {
    if (number % 2 == 0) queue.put(number);
  }
}

int main() {
  mp::init();
  mp::Queue<int> queue;
  mp::Process process(put_even, std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, queue);
  process.start();
  process.join();
  while (!queue.empty())
    std::cout << queue.get() << ' ';
  std::cout << '\n';
}
