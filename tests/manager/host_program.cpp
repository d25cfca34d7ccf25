// A program on a host of its own: host_program serve|hold|take HOST PORT

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "procession/procession.hpp"

namespace mp = procession;

namespace {

mp::AuthKey key() {
  const auto bytes = std::as_bytes(std::span(std::string_view("a key that both programs have")));
  return {bytes.begin(), bytes.end()};
}

void say(const std::string& word) { std::cout << word << std::endl; }

void serve(const mp::Address& address) {
  mp::ManagerServer server(address, key());
  server.share<mp::LockProxy>("lock");
  server.share<mp::DictProxy<std::string, int>>("scores");
  say("ready");
  server.serve_forever();
}

/// Has the lock until it is killed, or its host vanishes.
void hold(const mp::Address& address) {
  const mp::Manager manager = mp::Manager::connect(address, key());
  manager.get<mp::DictProxy<std::string, int>>("scores").set("hold", 1);
  manager.get<mp::LockProxy>("lock").lock();
  say("locked");
  for (;;)
    ::pause();
}

void take(const mp::Address& address) {
  const mp::Manager manager = mp::Manager::connect(address, key());
  say("scores " +
      std::to_string(manager.get<mp::DictProxy<std::string, int>>("scores").get("hold", 0)));
  const auto lock = manager.get<mp::LockProxy>("lock");
  lock.lock();
  say(lock.owner_died() ? "left behind" : "free");
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 4) return 2;
  const std::string what = argv[1];
  const mp::Address address{argv[2], static_cast<std::uint16_t>(std::atoi(argv[3]))};
  try {
    (what == "serve" ? serve : what == "hold" ? hold : take)(address);
  } catch (const std::exception& error) {
    say(error.what());
    return 1;
  }
}
