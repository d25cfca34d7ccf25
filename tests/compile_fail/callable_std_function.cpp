// expect: in place of std::function: procession::Function
#include <procession/callable.hpp>

#include <functional>

int main() {
  (void)procession::bind(std::function<int()>([] { return 1; }));
}
