// map_async returns at once: the parent works while the pool does.

#include <procession/procession.hpp>

#include <iostream>
#include <vector>

namespace mp = procession;

int cube(int number) { return number * number * number; }

int main() {
  mp::init();
  mp::Pool pool;

  mp::AsyncResult<std::vector<int>> cubes = pool.map_async(cube, {1, 2, 3});
  std::cout << "the parent works meanwhile\n";
  for (const int value : cubes.get())
    std::cout << value << " ";
  std::cout << "\n";
}
