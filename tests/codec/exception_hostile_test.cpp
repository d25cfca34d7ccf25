// Bytes that are no exception give DecodeError, never more.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <vector>

#include "exception_support.hpp"

namespace {

using namespace exception_test;

// What decodes is used; what does not must have said so by DecodeError.
bool decodes(const std::vector<std::byte>& bytes) {
  std::exception_ptr error;
  try {
    mp::Decoder in(bytes);
    error = mp::decode_exception(in, kOrigin);
  } catch (const mp::DecodeError&) {
    return false;
  }
  if (!error) return true;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    EXPECT_NE(thrown.what(), nullptr);
    EXPECT_NE(mp::remote_trace(thrown), nullptr);
  }
  return true;
}

std::vector<std::exception_ptr> samples() {
  const auto code = std::make_error_code(std::errc::io_error);
  return {
      std::make_exception_ptr(std::runtime_error("plain")),
      std::make_exception_ptr(std::system_error(code, "system")),
      std::make_exception_ptr(std::filesystem::filesystem_error("move", "a", "b", code)),
      std::make_exception_ptr(mp::BufferTooShort(std::vector<std::byte>(9), 4)),
      std::make_exception_ptr(mp::WorkerLost(5, -9, 3)),
      sent(std::make_exception_ptr(7)),
      thrown_by([] {
        try {
          throw std::out_of_range("inner");
        } catch (...) {
          std::throw_with_nested(mp::TypeMismatch("a", "b"));
        }
      }),
  };
}

TEST(ExceptionHostile, EveryTruncationIsRefused) {
  for (const auto& sample : samples()) {
    const auto bytes = to_bytes(sample);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decodes({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}));
    }
    EXPECT_TRUE(decodes(bytes));
  }
}

TEST(ExceptionHostile, EveryFlippedBitIsSurvived) {
  for (const auto& sample : samples()) {
    const auto bytes = to_bytes(sample);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto hostile = bytes;
      hostile[bit / 8] ^= std::byte{1} << (bit % 8);
      decodes(hostile);
    }
  }
}

TEST(ExceptionHostile, RandomBytesAreSurvived) {
  std::mt19937 random(1);  // NOLINT: the same bytes each time
  std::uniform_int_distribution<unsigned> byte(0, 255);
  std::uniform_int_distribution<std::size_t> size(0, 200);
  const auto all = samples();
  for (int round = 0; round < 6000; ++round) {
    auto bytes = to_bytes(all[static_cast<std::size_t>(round) % all.size()]);
    // Half of them keep a good beginning.
    const std::size_t keep = round % 2 == 0 ? 0 : size(random) % bytes.size();
    bytes.resize(keep);
    for (std::size_t i = size(random); i > 0; --i) {
      bytes.push_back(static_cast<std::byte>(byte(random) % (round % 3 == 0 ? 256 : 4)));
    }
    decodes(bytes);
  }
}

TEST(ExceptionHostile, TooManyLevelsAreRefused) {
  EXPECT_FALSE(decodes({std::byte{65}}));
  EXPECT_FALSE(decodes({std::byte{255}}));
}

// The names of categories are kept for ever, so there is an end to them.
TEST(ExceptionHostile, CategoriesWithoutEnd) {
  class Named : public std::error_category {
   public:
    explicit Named(std::string name) : name_(std::move(name)) {}
    const char* name() const noexcept override { return name_.c_str(); }
    std::string message(int) const override { return name_; }

   private:
    std::string name_;
  };
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const Named category("hostile-" + std::to_string(i));
    expect_arrives<std::system_error>(std::make_exception_ptr(std::system_error(i, category)),
                                      [&](const auto& thrown, const auto*) {
                                        EXPECT_EQ(thrown.code().value(), i);
                                        EXPECT_EQ(std::string(thrown.what()), category.name());
                                        last = thrown.code().category().name();
                                      });
  }
  EXPECT_EQ(last, "unknown");
}

}  // namespace
