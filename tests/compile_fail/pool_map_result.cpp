// expect: an address means nothing in another process
#include <procession/pool.hpp>

int main() {
  procession::Pool pool(1);
  pool.map([](int& x) { return &x; }, {1, 2, 3});
}
