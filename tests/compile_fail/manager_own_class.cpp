// expect: be_sent<procession::Manager
// expect: send its address() to connect to, or what it gave
#include <procession/manager.hpp>
#include <procession/process.hpp>

int main() {
  procession::Manager manager;
  procession::Process process([](procession::Manager& m) { m.shutdown(); }, manager);
}
