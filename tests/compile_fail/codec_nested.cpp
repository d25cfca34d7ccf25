// expect: be_sent<procession::part_of<bank::Account, std::vector<bank::Account
// expect: give it functions void encode
#include <procession/codec.hpp>

namespace bank {
class Account {
 public:
  Account() {}
  int number = 0;
};
}  // namespace bank

void receive(procession::Decoder& decoder) {
  procession::decode<std::vector<bank::Account>>(decoder);
}
