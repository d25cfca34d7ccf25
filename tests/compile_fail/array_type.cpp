// expect: procession::Array<T> keeps the bytes of its elements in shared memory: T must be trivially copyable
#include <procession/shared.hpp>

#include <string>

int main() { procession::Array<std::string> text; }
