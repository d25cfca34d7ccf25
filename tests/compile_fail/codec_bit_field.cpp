// expect: be_sent<procession::part_of<procession::bit_fields, bank::Flags>
// expect: a struct with bit-fields, to which no reference can be made
#include <procession/queue.hpp>

namespace bank {
struct Flags {
  int number;
  unsigned open : 1;
  unsigned kind : 7;
};
}  // namespace bank

int main() {
  const procession::Queue<bank::Flags> queue;
  queue.put({});
}
