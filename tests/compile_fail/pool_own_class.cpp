// expect: be_sent<procession::Pool
// expect: it serves the process that made it alone: make one in the other process
#include <procession/pool.hpp>

int main() {
  procession::Pool pool(1);
  pool.apply([](procession::Pool& p) { p.close(); }, pool);
}
