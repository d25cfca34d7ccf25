// expect: Procession needs C++20: compile with -std=c++20, or a later one
// flags: -std=c++17
// errors: 2
#include <procession/procession.hpp>

int main() {
  procession::init();
  procession::Pool pool(1);
  return pool.apply([] { return 0; });
}
