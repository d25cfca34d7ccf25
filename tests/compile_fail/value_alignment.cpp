// expect: procession::Value<T> keeps a T in memory that lies at another page in each process: T may be aligned to a page, 4096 bytes
#include <procession/shared.hpp>

struct alignas(8192) Large {
  char first;
};

int main() { procession::Value<Large> large; }
