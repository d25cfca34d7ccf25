// expect: Procession needs run-time type information: compile without -fno-rtti
// flags: -fno-rtti
// errors: 2
#include <procession/procession.hpp>

int main() {
  procession::init();
  procession::Pool pool(1);
  return pool.apply([] { return 0; });
}
