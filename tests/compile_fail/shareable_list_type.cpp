// expect: an item of a ShareableList is a std::nullptr_t, bool, std::int64_t or another integer
#include <procession/shared.hpp>

int main() {
  const procession::ShareableList list({1, 2.5});
  return static_cast<int>(list.get<float>(1));
}
