// expect: the target does not take these arguments
#include <procession/process.hpp>

void greet(const char* name);

int main() { procession::Process process({.name = "greeter"}, greet, 1, 2); }
