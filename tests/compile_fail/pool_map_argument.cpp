// expect: be_sent<Handle
// expect: give it functions void encode
#include <procession/pool.hpp>

#include <vector>

class Handle {
 public:
  explicit Handle(int* where) : where_(where) {}

 private:
  int* where_;
};

int main() {
  procession::Pool pool(1);
  std::vector<Handle> handles;
  pool.map([](const Handle&) { return 1; }, handles);
}
