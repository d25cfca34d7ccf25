// expect: give it functions void encode
// expect: Account
#include <procession/manager.hpp>

class Account {
 public:
  explicit Account(int total) : total_(total) {}

 private:
  int total_;
};

int main() {
  procession::Manager manager;
  (void)manager.dict<int, Account>();
}
