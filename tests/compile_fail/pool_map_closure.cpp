// expect: a closure is sent when its captures are trivially copyable: pass the others as arguments or use procession::bind
#include <procession/pool.hpp>

#include <string>

int main() {
  procession::Pool pool(1);
  const std::string text = "text";
  pool.map([text](int x) { return text.size() + static_cast<std::size_t>(x); }, {1, 2, 3});
}
