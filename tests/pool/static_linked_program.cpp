// A static object in a shared library that is linked with this program. With the environment
// variable PLUGIN, which names a library like it, only that one's object is looked at, which is
// loaded before init(), or with LATE after it.

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "procession/procession.hpp"

namespace mp = procession;

extern "C" void go_on_in_library();

namespace {

void (*go_on)() = go_on_in_library;

void load(const char* path) {
  ::setenv("STATIC", std::getenv("STATIC_OF_PLUGIN"), 1);
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void* const function = library != nullptr ? ::dlsym(library, "go_on_in_library") : nullptr;
  if (function == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    std::exit(2);
  }
  go_on = reinterpret_cast<void (*)()>(function);
}

}  // namespace

int main() {
  const char* const plugin = std::getenv("PLUGIN");
  const bool late = std::getenv("LATE") != nullptr;
  if (plugin != nullptr && !late) load(plugin);
  mp::init();
  if (plugin != nullptr && late) load(plugin);
  go_on();
  mp::Pool pool(2);
  std::printf("%d\n", pool.map([](int x) { return x * x; }, {4}).at(0));
}
