// expect: be_sent<procession::Process
// expect: it serves the process that made it alone: send its name or pid
#include <procession/process.hpp>

int main() {
  procession::Process other([] {});
  procession::Process process([](procession::Process& p) { p.join(); }, other);
}
