// expect: registered_exception_needs_encode_and_decode_or_a_constructor_from_string<Failure>
#include <procession/exception.hpp>

struct Failure {
  explicit Failure(int* where) : where_(where) {}
  int* where_;
};

int main() { return procession::register_exception<Failure>() ? 0 : 1; }
