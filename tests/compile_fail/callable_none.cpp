// expect: a target is a function, a lambda, an object with a call operator
#include <procession/callable.hpp>

int main() {
  procession::BufferEncoder encoder;
  procession::detail::encode_process_call(encoder, 3);
}
