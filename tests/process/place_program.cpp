// Where a program stands: `place_program root FOLDER` enters another root after its fork server was
// started; `place_program loader` only starts children, `place_program delete_under_loader FILE`
// after it has deleted its file. `place_program renamed` (or `deleted`) does
// that to its own file before it starts any, and `place_program renamed_later` after the first.

#include <unistd.h>

#include <sys/stat.h>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "procession/error.hpp"
#include "procession/init.hpp"
#include "procession/pool.hpp"
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

void move_own_file(const std::string& how, const std::string& suffix) {
  const std::string file = std::filesystem::read_symlink("/proc/self/exe").string();
  if (how == "renamed" + suffix) std::filesystem::rename(file, file + ".old");
  if (how == "deleted" + suffix) std::filesystem::remove(file);
}

void use_a_pool() {
  try {
    std::printf("pool: %d\n", mp::Pool(2).map([](int x) { return x + 1; }, {1}).at(0));
  } catch (const std::exception& error) {
    std::printf("pool: refused: %s\n", error.what());
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc < 2) return 2;
  if (argv[1] == std::string("delete_under_loader")) std::filesystem::remove(argv[2]);
  move_own_file(argv[1], "");
  attempt(mp::StartMethod::forkserver);
  move_own_file(argv[1], "_later");
  if (std::string(argv[1]) == "root" && (::chroot(argv[2]) != 0 || ::chdir("/") != 0)) {
    std::printf("skip\n");
    return 0;
  }
  attempt(mp::StartMethod::forkserver);
  attempt(mp::StartMethod::spawn);
  attempt(mp::StartMethod::fork);
  if (argc == 2 && std::string(argv[1]) != "loader") use_a_pool();
}
