// Runs one test. (First version: passes through.)

#include <unistd.h>

int main(int, char** argv) {
  ++argv;
  while (argv[0] != nullptr && argv[0][0] == '-') {
    argv += argv[0][2] == 's' ? 2 : 1;
  }
  ::execv(argv[0], argv);
  return 127;
}
