// expect: be_sent<zoo::Animal
// expect: it has virtual functions
#include <procession/codec.hpp>

namespace zoo {
struct Animal {
  virtual ~Animal() = default;
  int legs = 4;
};
}  // namespace zoo

void send(procession::Encoder& encoder, const zoo::Animal& animal) {
  procession::encode(encoder, animal);
}
