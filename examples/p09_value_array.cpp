// 9: a Value that is counted up, and an Array that is doubled, in two processes.

#include <iostream>
#include <procession/procession.hpp>

namespace mp = procession;

void count_up(const mp::Value<int>& value) {
  for (int i = 0; i < 1000; ++i)
    ++value;
}

void double_all(const mp::Array<int>& numbers) {
  for (int& number : numbers)
    number *= 2;
}

int main() {
  mp::init();
  mp::Value<int> value(0);
  mp::Array<int> numbers{1, 2, 3};
  mp::Process counter(count_up, value);
  mp::Process doubler(double_all, numbers);
  counter.start();
  doubler.start();
  counter.join();
  doubler.join();
  std::cout << value.value() << '\n';
  for (int number : numbers)
    std::cout << number << ' ';
  std::cout << '\n';
}
