// A shared library with functions that processes run.

#include <unistd.h>

#include <fstream>
#include <string>

namespace words {

void write_words(const std::string& path, const std::string& words) {
  std::ofstream(path) << words << " from the library in " << ::getpid();
}

struct Counter {
  int step;
  void operator()(const std::string& path) const { write_words(path, std::to_string(step)); }
};

}  // namespace words
