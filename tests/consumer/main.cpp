// A user's program: it sees only the installed package.

#include <cstdio>
#include <procession/procession.hpp>
#include <vector>

namespace mp = procession;

namespace {

int square(int n) { return n * n; }

void hello() { std::puts("hello from a process"); }

}  // namespace

int main() {
  mp::init();
  mp::Process process(hello);
  process.start();
  process.join();
  mp::Pool pool(2);
  const bool right = pool.map(square, {1, 2, 3}) == std::vector<int>{1, 4, 9};
  return right && process.exitcode() == 0 ? 0 : 1;
}
