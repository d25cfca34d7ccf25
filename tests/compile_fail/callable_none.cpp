// expect: a target is a function, a lambda, an object with a call operator
#include <procession/callable.hpp>

int main() {
  procession::BufferEncoder encoder;
  procession::detail::encode_task(encoder, 3);
}
