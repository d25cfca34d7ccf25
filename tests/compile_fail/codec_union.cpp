// expect: be_sent<Overlap
// expect: use std::variant
#include <procession/codec.hpp>

union Overlap {
  int number;
  float real;
};

void send(procession::Encoder& encoder, const Overlap& overlap) {
  procession::encode(encoder, overlap);
}
