// expect: an address means nothing in another process
#include <procession/callable.hpp>

int main() {
  procession::BufferEncoder encoder;
  procession::detail::encode_task(encoder, [](int& x) { return &x; }, 1);
}
