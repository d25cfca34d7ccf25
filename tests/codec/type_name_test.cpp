// Names and fingerprints of types.
#include <chrono>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "codec_support.hpp"

namespace geometry {

struct Point {
  int x;
  int y;
};
template <class T>
struct Shape {
  std::vector<T> points;
};
struct Node {
  std::vector<Node> children;
};

namespace other {
struct Point {
  int x;
  int y;
};
}  // namespace other

}  // namespace geometry

namespace {

struct Hidden {
  int value;
};

TEST(TypeName, IsWhatAPersonWouldWrite) {
  EXPECT_EQ(mp::type_name<int>(), "int");
  EXPECT_EQ(mp::type_name<unsigned long>(), "unsigned long");
  EXPECT_EQ(mp::type_name<unsigned char>(), "unsigned char");
  EXPECT_EQ(mp::type_name<std::string>(), "std::string");
  EXPECT_EQ(mp::type_name<std::vector<std::string>>(), "std::vector<std::string>");
  EXPECT_EQ((mp::type_name<std::map<std::string, std::list<int>>>()),
            "std::map<std::string, std::list<int>>");
  EXPECT_EQ((mp::type_name<std::unordered_map<long, std::set<char>>>()),
            "std::unordered_map<long, std::set<char>>");
  EXPECT_EQ(mp::type_name<std::unique_ptr<geometry::Point>>(), "std::unique_ptr<geometry::Point>");
  EXPECT_EQ((mp::type_name<std::array<short, 4>>()), "std::array<short, 4>");
  EXPECT_EQ(mp::type_name<int[3]>(), "int[3]");
  EXPECT_EQ(mp::type_name<std::tuple<>>(), "std::tuple<>");
  EXPECT_EQ(mp::type_name<geometry::Shape<geometry::Point>>(), "geometry::Shape<geometry::Point>");
  EXPECT_EQ(mp::type_name<Hidden>(), "(anonymous namespace)::Hidden");
  EXPECT_EQ(mp::type_name<std::filesystem::path>(), "std::filesystem::path");
  EXPECT_EQ(mp::type_name<std::chrono::system_clock>(), "std::chrono::system_clock");
}

TEST(Fingerprint, TellsTypesApart) {
  const std::set<std::uint64_t> prints{
      mp::fingerprint<bool>(),
      mp::fingerprint<char>(),
      mp::fingerprint<signed char>(),
      mp::fingerprint<int>(),
      mp::fingerprint<unsigned>(),
      mp::fingerprint<long>(),
      mp::fingerprint<float>(),
      mp::fingerprint<double>(),
      mp::fingerprint<std::string>(),
      mp::fingerprint<std::u16string>(),
      mp::fingerprint<std::vector<int>>(),
      mp::fingerprint<std::vector<long>>(),
      mp::fingerprint<std::vector<bool>>(),
      mp::fingerprint<std::list<int>>(),
      mp::fingerprint<std::array<int, 2>>(),
      mp::fingerprint<std::array<int, 3>>(),
      mp::fingerprint<std::pair<int, int>>(),
      mp::fingerprint<std::tuple<int, int>>(),
      mp::fingerprint<std::optional<int>>(),
      mp::fingerprint<std::unique_ptr<int>>(),
      mp::fingerprint<std::map<int, int>>(),
      mp::fingerprint<std::unordered_map<int, int>>(),
      mp::fingerprint<std::chrono::seconds>(),
      mp::fingerprint<std::chrono::milliseconds>(),
      mp::fingerprint<std::chrono::system_clock::time_point>(),
      mp::fingerprint<std::chrono::steady_clock::time_point>(),
      mp::fingerprint<std::filesystem::path>(),
      mp::fingerprint<geometry::Point>(),
      mp::fingerprint<geometry::other::Point>(),
      mp::fingerprint<geometry::Node>(),
      mp::fingerprint<geometry::Shape<int>>(),
      mp::fingerprint<geometry::Shape<long>>(),
  };
  EXPECT_EQ(prints.size(), 32U);
}

TEST(Fingerprint, IsTheSameForEveryCompiler) {
  EXPECT_EQ(mp::fingerprint<int>(), 0xa655c254726f2161);
  EXPECT_EQ((mp::fingerprint<std::map<std::string, geometry::Shape<geometry::Point>>>()),
            0x88e24f2376cb4e9d);
  EXPECT_EQ(mp::fingerprint<geometry::Node>(), 0x436f8570710a41c7);
  EXPECT_EQ(mp::fingerprint<std::chrono::system_clock::time_point>(), 0xfd56eb3872e0b6c7);
}

TEST(Fingerprint, AMismatchNamesBothTypes) {
  mp::expect_type<int>(mp::fingerprint<int>());
  try {
    mp::expect_type<std::vector<int>>(mp::fingerprint<std::string>(), mp::type_name<std::string>());
    FAIL() << "it was accepted";
  } catch (const mp::TypeMismatch& mismatch) {
    EXPECT_EQ(mismatch.asked(), "std::vector<int>");
    EXPECT_EQ(mismatch.found(), "std::string");
  }
  try {
    mp::expect_type<int>(0xabc);
    FAIL() << "it was accepted";
  } catch (const mp::TypeMismatch& mismatch) {
    EXPECT_NE(mismatch.found().find("abc"), std::string::npos) << mismatch.found();
  }
}

}  // namespace
