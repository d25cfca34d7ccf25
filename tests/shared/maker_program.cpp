// Makes, unlinks and drops named blocks until somebody kills it. Its argument is what their names
// begin with.

#include <string>
#include <vector>

#include "procession/init.hpp"
#include "procession/shared_memory.hpp"

int main(int argc, char** argv) {
  procession::init();
  if (argc != 2) return 2;
  const std::string prefix = argv[1];
  for (unsigned round = 0;; ++round) {
    std::vector<procession::SharedMemory> memories;
    for (int i = 0; i < 4; ++i) {
      memories.push_back(procession::SharedMemory::create(4096, prefix + std::to_string(i)));
    }
    if (round % 2 == 0) memories[round / 2 % 4].unlink();
  }
}
