// expect: an address means nothing in another process
#include <procession/pool.hpp>

int main() {
  procession::Pool pool(1);
  int value = 1;
  pool.apply([](int* x) { return *x; }, &value);
}
