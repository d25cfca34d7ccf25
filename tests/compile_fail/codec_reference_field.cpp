// expect: be_sent<Borrowed
// expect: a struct with a field that cannot be assigned
#include <procession/codec.hpp>

struct Borrowed {
  int number;
  const std::string& name;
};

void send(procession::Encoder& encoder, const Borrowed& value) {
  procession::encode(encoder, value);
}
