// expect: the target does not take these arguments
#include <procession/pool.hpp>

#include <string>

int length(const std::string& text);

int main() {
  procession::Pool pool(1);
  pool.map(length, {1, 2, 3});
}
