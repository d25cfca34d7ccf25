// The main() of these tests in place of the common one: they fork by themselves and count every
// block, so nobody else may look after forks or hold anything.
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
