// Functions and images that a child does not find: `library_program METHOD HOW`.
//
//   missing LIBRARY           loads it when init() was called, so that only a fork has it
//   replaced LIBRARY OTHER    has loaded LIBRARY before init() (from PLUGIN in the environment),
//   and
//                             puts OTHER in its place before the start
//   program OTHER             puts OTHER in the place of its own image before the start
// Prints the exit code of a child that runs the plugin's function, or one of its own.

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "procession/init.hpp"
#include "procession/process.hpp"

namespace mp = procession;

namespace {

void (*load(const char* path))(int) {
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void* const function = library == nullptr ? nullptr : ::dlsym(library, "plugin_run");
  if (function == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    std::exit(2);
  }
  return reinterpret_cast<void (*)(int)>(function);
}

void replace(const std::string& path, const std::string& other) {
  std::filesystem::copy_file(other, path + ".new",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(path + ".new", path);
}

void own(int) {}

}  // namespace

int main(int argc, char** argv) {
  void (*run)(int) = &own;
  if (const char* plugin = std::getenv("PLUGIN")) {
    run = load(plugin);
  }
  mp::init();
  if (argc < 4) {
    return 2;
  }
  const std::string how = argv[2];
  if (how == "missing") {
    run = load(argv[3]);
  } else if (how == "replaced") {
    replace(argv[3], argv[4]);
  } else {
    replace(std::filesystem::read_symlink("/proc/self/exe").string(), argv[3]);
  }
  for (const mp::StartMethod method : mp::get_all_start_methods()) {
    if (std::string(argv[1]) == mp::to_string(method)) {
      mp::Process process({.name = "guest", .start_method = method}, run, 1);
      process.start();
      process.join();
      std::printf("%d\n", process.exitcode().value());
    }
  }
}
