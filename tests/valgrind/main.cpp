// A little of everything, to be run under valgrind: `valgrind_program METHOD`.

#include <cstdio>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "procession/procession.hpp"

namespace mp = procession;

namespace {

struct Counter {
  explicit Counter(int from) : count(from) {}
  int add(int more) { return count += more; }
  int count;
};

int square(int number) { return number * number; }

void answer(const mp::Queue<std::string>& words, const mp::Lock& lock, const mp::Value<int>& sum,
            const mp::Connection& connection) {
  for (std::string word = words.get(); word != "end"; word = words.get()) {
    const std::lock_guard guard(lock);
    sum += static_cast<int>(word.size());
  }
  const int total = sum.value();
  connection.send(std::vector{total});
}

void expect(bool truth, const char* what) {
  if (!truth) throw std::runtime_error(what);
}

/// Bytes of address space that the shared heap has.
unsigned long long heap_size() {
  std::ifstream maps("/proc/self/maps");
  unsigned long long size = 0;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin = 0;
    unsigned long long end = 0;
    if (line.find("procession-heap") != std::string::npos &&
        std::sscanf(line.c_str(), "%llx-%llx", &begin, &end) == 2) {
      size += end - begin;
    }
  }
  return size;
}

void run() {
  const mp::Queue<std::string> words;
  const mp::Lock lock;
  const mp::Value<int> sum(0);
  auto [mine, its] = mp::Pipe();
  mp::Process process(answer, words, lock, sum, its);
  process.start();
  for (const char* word : {"one", "three", "end"})
    words.put(word);
  expect(mine.recv<std::vector<int>>() == std::vector{8}, "what came through the pipe");
  process.join();
  expect(process.exitcode() == 0, "the exit code");

  mp::Pool pool(2);
  expect(pool.map(square, {1, 2, 3}) == std::vector{1, 4, 9}, "a map");
  expect(pool.apply(square, 5) == 25, "a call");
  try {
    pool.apply([] { throw std::out_of_range("so far"); });
    expect(false, "an exception");
  } catch (const std::out_of_range&) {
  }
  pool.close();
  pool.join();

  mp::Manager manager;
  const auto counter = manager.create<Counter>(10);
  expect(counter.call<&Counter::add>(3) == 13, "a call of a manager's");
  manager.shutdown();
  // All of it becomes memory when leaks are looked for.
  expect(heap_size() <= (256ULL << 20), "the size of the shared heap under valgrind");
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  const std::string method = argc > 1 ? argv[1] : "forkserver";
  for (const mp::StartMethod one : {mp::StartMethod::forkserver, mp::StartMethod::spawn,
                                    mp::StartMethod::fork, mp::StartMethod::thread}) {
    if (method == mp::to_string(one)) mp::set_start_method(one);
  }
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::puts("done");
  return 0;
}
