// expect: it has virtual functions
// expect: Handle
#include <procession/process.hpp>

struct Handle {
  explicit Handle(int number);
  ~Handle();
  virtual void use();
};

void use(Handle&);

int main() { procession::Process process(use, Handle(3)); }
