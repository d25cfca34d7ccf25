// expect: be_sent<bank::Savings
// expect: its encode and decode are those of a base class
#include <procession/codec.hpp>

namespace bank {
class Account {
 public:
  Account() {}

 private:
  friend void encode(procession::Encoder& encoder, const Account& account) {
    procession::encode(encoder, account.number_);
  }
  friend void decode(procession::Decoder& decoder, Account& account) {
    procession::decode(decoder, account.number_);
  }
  int number_ = 0;
};
class Savings : public Account {
 public:
  double rate = 0;
};
}  // namespace bank

void send(procession::Encoder& encoder, const bank::Savings& account) {
  procession::encode(encoder, account);
}
