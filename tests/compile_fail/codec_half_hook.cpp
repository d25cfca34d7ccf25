// expect: be_sent<bank::Account
// expect: needs both
#include <procession/codec.hpp>

namespace bank {
struct Account {
  int number;
  friend void encode(procession::Encoder& encoder, const Account& account) {
    procession::encode(encoder, account.number);
  }
};
}  // namespace bank

void send(procession::Encoder& encoder, const bank::Account& account) {
  procession::encode(encoder, account);
}
