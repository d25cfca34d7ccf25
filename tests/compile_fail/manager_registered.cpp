// expect: give it functions void encode
// expect: Account
#include <procession/manager_server.hpp>

class Account {
 public:
  explicit Account(int total) : total_(total) {}

 private:
  int total_;
};

int main() {
  procession::ManagerServer server({"", 0}, {});
  server.register_callable("account", [](const Account&) { return 1; });
}
