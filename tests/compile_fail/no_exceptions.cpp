// expect: Procession needs exceptions: compile without -fno-exceptions
// flags: -fno-exceptions
// errors: 2
#include <procession/procession.hpp>

int main() {
  procession::init();
  procession::Pool pool(1);
  return pool.apply([] { return 0; });
}
