// expect: be_sent<Account
// expect: std::mutex (send a procession::Lock)
#include <mutex>
#include <procession/codec.hpp>

struct Account {
  std::mutex mutex;
  long balance = 0;
};

void send(procession::Encoder& encoder, const Account& account) {
  procession::encode(encoder, account);
}
