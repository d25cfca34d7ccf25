// expect: procession::Array<T> keeps its elements in memory that lies at another page in each process: T may be aligned to a page, 4096 bytes
#include <procession/shared.hpp>

struct alignas(8192) Large {
  char first;
};

int main() { procession::Array<Large> large(3); }
