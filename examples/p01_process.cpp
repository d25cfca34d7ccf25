// A function runs in a process of its own: start it, wait for it, go on.

#include <procession/procession.hpp>

#include <iostream>

namespace mp = procession;

void greet() { std::cout << "hello from the child\n"; }

int main() {
  mp::init();

  mp::Process process(greet);
  process.start();
  process.join();
  std::cout << "the child has ended\n";
}
