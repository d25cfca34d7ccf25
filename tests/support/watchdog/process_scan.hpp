#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace watchdog {

/// A process below this one in the process tree.
struct Descendant {
  pid_t pid;
  char state;           // as in /proc/PID/stat: R, S, D, T, ...
  std::string command;  // its command line, or its short name in brackets
};

/// Every living process below this one; zombies are not alive.
std::vector<Descendant> descendants();

/// Prints the stacks of every thread of `process` to stderr, with gdb if there is one, else what
/// /proc knows of where they sleep.
void print_stacks(const Descendant& process);

}  // namespace watchdog
