// One function by each way to start a process: from the fork server, by executing the program anew,
// by a plain fork, and on a thread, which is no process at all.

#include <procession/procession.hpp>

#include <iostream>
#include <string>

namespace mp = procession;

void f(const std::string& name, const std::string& method) {
  const mp::ProcessInfo self = mp::current_process();
  const auto parent = mp::parent_process();
  std::cout << method << ": hello " << name << " from " << self.name << " (" << self.pid
            << "), child of " << (parent ? parent->name : "nobody") << " ("
            << (parent ? parent->pid : 0) << ")\n";
}

int main() {
  mp::init();
  std::cout << mp::current_process().name << " is " << mp::current_process().pid << "\n";

  const std::string names[] = {"forkserver", "spawn", "fork", "thread"};  // as in StartMethod
  for (const mp::StartMethod method : mp::get_all_start_methods()) {
    mp::Process process({.start_method = method}, f, "bob", names[static_cast<int>(method)]);
    process.start();
    process.join();
  }
}
