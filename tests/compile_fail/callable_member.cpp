// expect: a pointer to a member is no target: put the call into a lambda
#include <procession/callable.hpp>

struct Counter {
  int count = 0;
  int next() { return ++count; }
};

int main() {
  procession::BufferEncoder encoder;
  procession::detail::encode_process_call(encoder, &Counter::next, Counter{});
}
