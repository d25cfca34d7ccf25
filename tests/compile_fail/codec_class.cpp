// expect: be_sent<bank::Account
// expect: give it functions void encode(procession::Encoder&, const T&) and void
// decode(procession::Decoder&, T&) in its own namespace
#include <procession/codec.hpp>

namespace bank {
class Account {
 public:
  explicit Account(int number) : number_(number) {}
  int number() const { return number_; }

 private:
  int number_;
};
}  // namespace bank

void send(procession::Encoder& encoder, const bank::Account& account) {
  procession::encode(encoder, account);
}
