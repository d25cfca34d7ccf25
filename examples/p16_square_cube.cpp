// Two different functions at the same time, each in a process of its own.

#include <procession/procession.hpp>

#include <iostream>

namespace mp = procession;

void print_square(int number) { std::cout << "square: " << number * number << "\n"; }
void print_cube(int number) { std::cout << "cube: " << number * number * number << "\n"; }

int main() {
  mp::init();

  mp::Process square(print_square, 5);
  mp::Process cube(print_cube, 5);
  square.start();
  cube.start();
  square.join();
  cube.join();
  std::cout << "done\n";
}
