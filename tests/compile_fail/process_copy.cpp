// expect: deleted
#include <procession/process.hpp>

int main() {
  procession::Process process([] {});
  procession::Process copy(process);
}
