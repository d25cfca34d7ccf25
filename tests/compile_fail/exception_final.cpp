// expect: registered_exception_must_not_be_final<Failure>
#include <procession/exception.hpp>

struct Failure final {
  int code = 0;
};

int main() { return procession::register_exception<Failure>() ? 0 : 1; }
