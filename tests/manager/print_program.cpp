// A method of a manager's object that prints, and a server that is killed as soon as the answer is
// there: `print_program HOW WHERE METHOD`.
//
// HOW     returns, throws; constructor: what prints makes the object; remote: the server is that of
//         another program; crowd: many threads call at once
// WHERE   printf, cout, unsynced (std::cout with a buffer of its own), clog, wcout
// METHOD  the start method of the server

#include <signal.h>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "procession/manager.hpp"
#include "procession/manager_server.hpp"
#include "procession/procession.hpp"

namespace mp = procession;

namespace {

void print(const std::string& where, const std::string& text) {
  if (where == "printf") {
    std::fputs(text.c_str(), stdout);
  } else if (where == "clog") {
    std::clog << text;
  } else if (where == "wcout") {
    std::wcout << std::wstring(text.begin(), text.end());
  } else {
    std::cout << text;
  }
}

class Teller {
 public:
  Teller() = default;
  explicit Teller(const std::string& where) { tell(where, 0); }

  int tell(const std::string& where, int number) {
    if (where == "unsynced") std::ios::sync_with_stdio(false);
    print(where, "line " + std::to_string(number) + "\n");
    return number;
  }
  void tell_and_throw(const std::string& where) {
    tell(where, 0);
    throw std::domain_error("as it should");
  }
};

constexpr int kCallers = 16;

void call(const mp::Manager& manager, const std::string& how, const std::string& where) {
  if (how == "constructor") {
    static_cast<void>(manager.create<Teller>(where));
    return;
  }
  const auto teller = manager.create<Teller>();
  if (how == "throws") {
    try {
      teller.call<&Teller::tell_and_throw>(where);
    } catch (const std::domain_error&) {
      return;
    }
  } else if (how == "crowd") {
    std::vector<std::thread> threads;
    for (int i = 0; i < kCallers; ++i)
      threads.emplace_back([&, i] { teller.call<&Teller::tell>(where, i); });
    for (std::thread& thread : threads)
      thread.join();
  } else {
    teller.call<&Teller::tell>(where, 0);
  }
}

void serve(const mp::Connection& told) {
  mp::ManagerServer server({"127.0.0.1", 0}, mp::current_authkey());
  server.register_type<Teller>("Teller", mp::method<&Teller::tell>("tell"));
  told.send(server.address());
  server.serve_forever();
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 3) return 2;
  const auto method = words[2] == "spawn"  ? mp::StartMethod::spawn
                      : words[2] == "fork" ? mp::StartMethod::fork
                                           : mp::StartMethod::forkserver;
  if (words[0] == "remote") {
    auto [mine, its] = mp::Pipe();
    mp::Process server({.start_method = method}, serve, its);
    server.start();
    const mp::Manager manager =
        mp::Manager::connect(mine.recv<mp::Address>(), mp::current_authkey());
    manager.create<Teller>().call<int>("tell", words[1], 0);
    server.kill();
    server.join();
    return 0;
  }
  const mp::Manager manager({.start_method = method});
  call(manager, words[0], words[1]);
  ::kill(manager.pid(), SIGKILL);
  return 0;
}
