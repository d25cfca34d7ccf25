// A program that uses a pool which it never destroys while it ends:
// `at_exit_program START_METHOD HOW`.
//
// HOW: return (of main), exit (in the middle of main).

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "procession/procession.hpp"

namespace mp = procession;

namespace {

int square(int x) { return x * x; }

mp::Pool* pool = nullptr;

void use(const char* where) {
  if (pool == nullptr) return;  // this is a worker
  try {
    std::printf("%s: %d\n", where, pool->apply(square, 3));
  } catch (const std::exception& error) {
    std::printf("%s: %s: %s\n", where,
                dynamic_cast<const mp::ProcessError*>(&error) != nullptr ? "ProcessError"
                                                                         : "another exception",
                error.what());
  }
  std::fflush(stdout);
}

struct User {
  explicit User(const char* where) : where_(where) {}
  User(const User&) = delete;
  User& operator=(const User&) = delete;
  ~User() { use(where_); }
  const char* where_;
};

const User of_namespace("of namespace scope");

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 3) return 3;
  static const User before("made before the pool");
  pool = new mp::Pool(
      {.processes = 1, .start_method = static_cast<mp::StartMethod>(std::atoi(argv[1]))});
  static const User after("made after the pool");
  static_cast<void>(std::atexit([] { use("atexit"); }));
  if (argv[2] == std::string("exit")) std::exit(4);
  return 4;
}
