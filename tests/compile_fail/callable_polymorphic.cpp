// expect: a function object with virtual functions cannot be sent
// expect: Visitor
#include <procession/callable.hpp>

struct Visitor {
  virtual int operator()() const { return 1; }
};

int main() {
  procession::Function<int()> function = Visitor{};
  return function();
}
