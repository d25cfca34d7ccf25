// expect: be_sent<bank::Account
// expect: decoding makes such values by a default constructor
#include <procession/codec.hpp>

namespace bank {
class Account {
 public:
  explicit Account(int number) : number_(number) {}

 private:
  friend void encode(procession::Encoder& encoder, const Account& account) {
    procession::encode(encoder, account.number_);
  }
  friend void decode(procession::Decoder& decoder, Account& account) {
    procession::decode(decoder, account.number_);
  }
  int number_ = 0;
};
}  // namespace bank

void receive(procession::Decoder& decoder) { procession::decode<bank::Account>(decoder); }
