// 17: a child sends a list through a Pipe.

#include <iostream>
#include <procession/procession.hpp>
#include <vector>

namespace mp = procession;

void send_list(const mp::Connection& connection) {
  connection.send(std::vector{42, 43, 44});
  connection.close();
}

int main() {
  mp::init();
  auto [parent_end, child_end] = mp::Pipe();
  mp::Process process(send_list, child_end);
  process.start();
  for (int number : parent_end.recv<std::vector<int>>())
    std::cout << number << ' ';
  std::cout << '\n';
  process.join();
}
