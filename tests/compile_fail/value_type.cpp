// expect: procession::Value<T> keeps the bytes of a T in shared memory: T must be trivially copyable
#include <procession/shared.hpp>

#include <string>

int main() { procession::Value<std::string> text; }
