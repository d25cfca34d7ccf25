// A shared library with a static object that uses the library procession of the program.

#include "static_objects.hpp"

namespace {
const static_objects::Before before;
}

extern "C" void go_on_in_library() { static_objects::go_on(before); }
