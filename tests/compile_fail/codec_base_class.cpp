// expect: be_sent<Derived
// expect: a struct with a base class that has data
#include <procession/codec.hpp>

struct Base {
  int number;
};
struct Derived : Base {
  int more;
};

void send(procession::Encoder& encoder, const Derived& value) {
  procession::encode(encoder, value);
}
