// Two ways to tell of a task that failed: the error as a value, so that every task has a result,
// and an exception, which reaches the parent with its type.

#include <procession/procession.hpp>

#include <iostream>
#include <stdexcept>
#include <string>
#include <variant>

namespace mp = procession;

int divide(int divisor) {
  if (divisor == 0) throw std::domain_error("100 divided by zero");
  return 100 / divisor;
}

std::variant<int, std::string> safe_divide(int divisor) {
  try {
    return divide(divisor);
  } catch (const std::exception& error) {
    return std::string("error: ") + error.what();
  }
}

int main() {
  mp::init();
  mp::Pool pool(2);

  for (const auto& result : pool.map(safe_divide, {10, 0, 5})) {
    std::visit([](const auto& value) { std::cout << value << "\n"; }, result);
  }
  try {
    pool.map(divide, {10, 0, 5});
  } catch (const std::domain_error& error) {
    std::cout << "std::domain_error: " << error.what() << "\n";
  }
}
