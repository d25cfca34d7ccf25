// This library's side of each comparison but for those of ours_served.cpp:
// `ours OPERATION [MEBIBYTES of live heap]`.

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "ours.hpp"

namespace mp = procession;

namespace {

void nothing() {}

contestant::Operation start_and_join(mp::StartMethod method) {
  return [method](std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
      mp::Process process({.start_method = method}, nothing);
      process.start();
      process.join();
      if (process.exitcode() != 0) {
        std::abort();
      }
    }
  };
}

void pool_made_and_closed(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    mp::Pool pool(2);
    pool.close();
    pool.join();
  }
}

/// Live heap as a program has it: many blocks, all of them touched.
std::vector<std::unique_ptr<char[]>> live_heap(std::size_t mebibytes) {
  constexpr std::size_t kBlock = 64 * 1024;
  std::vector<std::unique_ptr<char[]>> blocks(mebibytes * (1024 * 1024 / kBlock));
  for (auto& block : blocks) {
    block.reset(new char[kBlock]);
    std::memset(block.get(), 1, kBlock);
  }
  return blocks;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "return") == 0) {
    return 0;  // the same image, for a bare posix_spawn
  }
  mp::init();
  if (argc < 2) {
    std::cerr << "usage: ours OPERATION [MEBIBYTES]\n";
    return 2;
  }
  const auto heap = live_heap(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0);
  Operations operations{{"forkserver", start_and_join(mp::StartMethod::forkserver)},
                        {"spawn", start_and_join(mp::StartMethod::spawn)},
                        {"fork", start_and_join(mp::StartMethod::fork)},
                        {"pool", pool_made_and_closed}};
  operations.merge(pool_operations());
  operations.merge(queue_operations());
  operations.merge(pipe_operations());
  operations.merge(sync_operations());
  return contestant::serve(operations, argv[1]);
}
