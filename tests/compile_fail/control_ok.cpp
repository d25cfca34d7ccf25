// expect-ok

#include <procession/error.hpp>

int main() { throw procession::ProcessError("this file compiles"); }
