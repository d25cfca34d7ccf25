// expect: an address means nothing in another process
#include <procession/callable.hpp>

int main() {
  int value = 1;
  procession::BufferEncoder encoder;
  procession::detail::encode_process_call(encoder, [](int*) {}, &value);
}
