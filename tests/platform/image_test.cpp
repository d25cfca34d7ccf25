#include "platform/image.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

namespace procession::platform {
namespace {

int function_here() { return 1; }
int variable_here = 1;

template <class T>
std::uintptr_t address_of(T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

TEST(Image, TheProgramHoldsItsFunctionsAndItsData) {
  const Image& main = main_image();
  EXPECT_TRUE(main.main());
  EXPECT_TRUE(main.is_code(address_of(&function_here)));
  EXPECT_FALSE(main.is_data(address_of(&function_here), 1));
  EXPECT_TRUE(main.is_data(address_of(&variable_here), sizeof(variable_here)));
  EXPECT_FALSE(main.is_code(address_of(&variable_here)));
  EXPECT_NE(main.path().find("test_platform"), std::string::npos);
  EXPECT_NE(main.id(), ImageId{});
}

TEST(Image, StackAndHeapLieInNoImage) {
  int local = 0;
  const auto on_heap = std::make_unique<int>(0);
  EXPECT_EQ(find_image(address_of(&local)), nullptr);
  EXPECT_EQ(find_image(address_of(on_heap.get())), nullptr);
  EXPECT_EQ(find_image(0), nullptr);
}

TEST(Image, DataDoesNotReachBeyondItsSegment) {
  const Image& main = main_image();
  EXPECT_FALSE(main.is_data(address_of(&variable_here), std::size_t{1} << 40));
  EXPECT_FALSE(main.is_data(~std::uintptr_t{0}, 8));
}

TEST(Image, ALibraryIsAnotherImage) {
  void* const function = ::dlsym(RTLD_DEFAULT, "dl_iterate_phdr");
  ASSERT_NE(function, nullptr);
  const auto image = find_image(address_of(function));
  ASSERT_NE(image, nullptr);
  EXPECT_TRUE(image->is_code(address_of(function)));
}

TEST(Image, LibrariesLoadedLaterAreFound) {
  const std::size_t before = loaded_images()->size();
  void* const library = ::dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    GTEST_SKIP() << "no libz.so.1 here";
  }
  const auto function = address_of(::dlsym(library, "crc32"));
  const auto image = find_image(function);
  ASSERT_NE(image, nullptr);
  EXPECT_FALSE(image->main());
  EXPECT_NE(image->path().find("libz"), std::string::npos);
  EXPECT_NE(image->id(), main_image().id());
  std::thread([&] { EXPECT_EQ(find_image(function)->id(), image->id()); }).join();
  ::dlclose(library);
  EXPECT_EQ(loaded_images()->size(), before);
}

TEST(Image, AnImageWithoutBuildIdIsKnownByItsCode) {
  alignas(8) static const unsigned char kCode[] = "some code, as long as it needs to be";
  Image::Facts facts;
  facts.code = {{address_of(&kCode[0]), address_of(&kCode[0]) + 30}};
  const Image one(facts);
  const Image same(facts);
  EXPECT_EQ(one.id(), same.id());
  EXPECT_EQ(one.id(), one.id());
  facts.code[0].end -= 1;
  EXPECT_NE(Image(facts).id(), one.id());
  facts.headers.push_back(std::byte{1});
  EXPECT_NE(Image(facts).id(), one.id());
}

TEST(Image, AnIdIsPrintedAsReadelfDoes) {
  ImageId id;
  id.bytes[0] = 0x0f;
  id.bytes[1] = 0xa5;
  EXPECT_EQ(id.text(), "0fa5000000000000000000000000000000000000");
}

}  // namespace
}  // namespace procession::platform
