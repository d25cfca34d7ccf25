// Where a program stands: `place_program root FOLDER` enters another root after its fork server was
// started; `place_program loader` only starts children.

#include <unistd.h>

#include <sys/stat.h>
#include <cstdio>
#include <exception>
#include <string>

#include "procession/error.hpp"
#include "procession/init.hpp"
#include "procession/process.hpp"

namespace mp = procession;

namespace {

void say_root() {
  struct stat folder{};
  ::stat("/here", &folder);
  std::printf("%s\n", S_ISDIR(folder.st_mode) ? "inside" : "outside");
  std::fflush(stdout);
}

void attempt(mp::StartMethod method) {
  try {
    mp::Process process({.start_method = method}, say_root);
    process.start();
    process.join();
    std::printf("%s: %d\n", mp::to_string(method), process.exitcode().value());
  } catch (const mp::ProcessError& error) {
    std::printf("%s: refused: %s\n", mp::to_string(method), error.what());
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc < 2) return 2;
  attempt(mp::StartMethod::forkserver);
  if (std::string(argv[1]) == "root" && (::chroot(argv[2]) != 0 || ::chdir("/") != 0)) {
    std::printf("skip\n");
    return 0;
  }
  attempt(mp::StartMethod::forkserver);
  attempt(mp::StartMethod::spawn);
  attempt(mp::StartMethod::fork);
}
