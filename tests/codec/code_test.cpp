#include "procession/detail/code.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <stdexcept>
#include <string>

#include "platform/image.hpp"
#include "procession/error.hpp"

namespace procession::detail {
namespace {

int twice(int value) { return 2 * value; }
void some_entry(Decoder&) {}
void other_entry(Decoder&, Encoder&) {}
int some_variable = 1;

template <class F>
std::uintptr_t address_of(F* function) {
  return reinterpret_cast<std::uintptr_t>(function);
}

std::vector<std::byte> encoded(std::uintptr_t address) {
  BufferEncoder encoder;
  encode_function(encoder, address);
  return encoder.take();
}

std::uintptr_t decoded(const std::vector<std::byte>& bytes) {
  Decoder decoder(bytes);
  const std::uintptr_t address = decode_function(decoder);
  decoder.expect_end();
  return address;
}

template <class E>
std::string text_of(const std::vector<std::byte>& bytes) {
  try {
    decoded(bytes);
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

void set_offset(std::vector<std::byte>& bytes, std::uint64_t offset) {
  std::memcpy(bytes.data(), &offset, sizeof(offset));
}

TEST(Code, AFunctionOfTheProgramComesBack) {
  const auto bytes = encoded(address_of(&twice));
  EXPECT_EQ(bytes.size(), 32U);
  EXPECT_EQ(decoded(bytes), address_of(&twice));
}

TEST(Code, TheNullFunctionComesBack) { EXPECT_EQ(decoded(encoded(0)), 0U); }

TEST(Code, AFunctionOfALibraryComesBack) {
  void* const function = ::dlsym(RTLD_DEFAULT, "cos");
  ASSERT_NE(function, nullptr);
  EXPECT_EQ(decoded(encoded(address_of(function))), address_of(function));
}

TEST(Code, ALibraryThatIsNotLoadedIsNamed) {
  void* const library = ::dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    GTEST_SKIP() << "no libz.so.1 here";
  }
  const auto bytes = encoded(address_of(::dlsym(library, "crc32")));
  EXPECT_EQ(decoded(bytes), address_of(::dlsym(library, "crc32")));
  ::dlclose(library);
  const std::string text = text_of<ProcessError>(bytes);
  EXPECT_NE(text.find("libz.so"), std::string::npos) << text;
  EXPECT_NE(text.find("not loaded"), std::string::npos) << text;
  EXPECT_NE(text.find("set_forkserver_preload"), std::string::npos) << text;
}

TEST(Code, AnotherBuildOfALibraryIsNamedWithBothIds) {
  const auto address = address_of(::dlsym(RTLD_DEFAULT, "cos"));
  const std::string found = platform::find_image(address)->id().text();
  auto bytes = encoded(address);
  bytes[12] ^= std::byte{0xff};
  const std::string text = text_of<ProcessError>(bytes);
  EXPECT_NE(text.find(found), std::string::npos) << text;
  EXPECT_NE(text.find(found.substr(2), text.find(found) + 1), std::string::npos)
      << "the wanted id differs in its first byte only: " << text;
  EXPECT_NE(text.find("another build"), std::string::npos) << text;
}

TEST(Code, AnotherBuildOfTheProgramIsRefused) {
  auto bytes = encoded(address_of(&twice));
  bytes[31] ^= std::byte{1};
  const std::string text = text_of<ProcessError>(bytes);
  EXPECT_NE(text.find(platform::main_image().id().text()), std::string::npos) << text;
  EXPECT_NE(text.find("same build"), std::string::npos) << text;
}

TEST(Code, AnOffsetOutsideTheCodeIsRefused) {
  auto bytes = encoded(address_of(&twice));
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1} << 40, ~std::uint64_t{0},
        static_cast<std::uint64_t>(address_of(&some_variable) - platform::main_image().base())}) {
    set_offset(bytes, offset);
    EXPECT_THROW(decoded(bytes), DecodeError) << offset;
  }
}

TEST(Code, DamagedBytesAreRefused) {
  const auto bytes = encoded(address_of(&twice));
  EXPECT_THROW(decoded({bytes.begin(), bytes.end() - 1}), DecodeError);
  EXPECT_THROW(decoded({}), DecodeError);
  auto kind = bytes;
  kind[8] = std::byte{7};
  EXPECT_THROW(decoded(kind), DecodeError);
  auto path = bytes;
  path[11] = std::byte{1};
  EXPECT_THROW(decoded(path), DecodeError);
}

TEST(Code, CodeMadeAtRunTimeCannotBeNamed) {
  void* const memory = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_THROW(encoded(address_of(memory)), std::invalid_argument);
  ::munmap(memory, 4096);
}

TEST(Code, AnEntryComesBackWithItsTypeOnly) {
  BufferEncoder encoder;
  encode_entry<&some_entry>(encoder);
  encode_entry<&other_entry>(encoder);
  Decoder decoder(encoder.bytes());
  EXPECT_EQ(decode_entry<void(Decoder&)>(decoder), &some_entry);
  EXPECT_THROW(decode_entry<void(Decoder&)>(decoder), DecodeError);
}

TEST(Code, NoOffsetButThatOfARecordIsOne) {
  BufferEncoder encoder;
  encode_entry<&some_entry>(encoder);
  auto bytes = encoder.take();
  const std::uint64_t good =
      address_of(&EntryOf<&some_entry>::record) - platform::main_image().base();
  std::mt19937_64 random(3);
  const std::uint64_t size = platform::main_image().whole().end - platform::main_image().base();
  for (int i = 0; i != 100'000; ++i) {
    const std::uint64_t offset =
        i < 4096 ? good - 2048 + static_cast<std::uint64_t>(i) : random() % size / 8 * 8;
    if (offset == good) {
      continue;
    }
    set_offset(bytes, offset);
    Decoder decoder(bytes);
    try {
      decode_entry<void(Decoder&)>(decoder);
      // Another record of the same type, of another test.
    } catch (const DecodeError&) {
      continue;
    }
  }
}

}  // namespace
}  // namespace procession::detail
