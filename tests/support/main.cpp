// The main() of every test program.

#include <gtest/gtest.h>

#if defined(PROCESSION_TESTS_CALL_INIT) && __has_include(<procession/init.hpp>)
#include <procession/init.hpp>
#else
namespace procession {
static void init() {}
}  // namespace procession
#endif

int main(int argc, char** argv) {
  procession::init();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
