// Static objects of a program that use the library before main(), see static_objects.hpp.

#include "pool/static_objects.hpp"

namespace mp = procession;

namespace {
const static_objects::Before before;
}

int main() {
  mp::init();
  static_objects::go_on(before);
  // Processes can be started now.
  mp::Pool pool(2);
  std::printf("%d\n", pool.map(static_objects::square, {4}).at(0));
}
