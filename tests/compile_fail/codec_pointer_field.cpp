// expect: be_sent<procession::part_of<bank::Ledger
// expect: bank::Job>
// expect: an address means nothing in another process
#include <procession/codec.hpp>

namespace bank {
struct Ledger {};
struct Job {
  int number;
  std::vector<std::optional<Ledger*>> ledgers;
};
}  // namespace bank

void send(procession::Encoder& encoder, const bank::Job& job) { procession::encode(encoder, job); }
