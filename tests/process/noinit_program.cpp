// main() without init().

#include <cstdio>

#include "procession/error.hpp"
#include "procession/process.hpp"

namespace mp = procession;

int main() {
  for (const mp::StartMethod method : mp::get_all_start_methods()) {
    mp::Process process({.start_method = method}, [] {});
    try {
      process.start();
      process.join();
      std::printf("%s: %d\n", mp::to_string(method), process.exitcode().value());
    } catch (const mp::NotInitialized& error) {
      std::printf("%s: %s\n", mp::to_string(method), error.what());
    }
  }
}
