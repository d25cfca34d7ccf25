#include "procession/shareable_list.hpp"

#include <cstring>

#include "shared/support.hpp"

namespace shared_test {
namespace {

using mp::ShareableList;
using Item = ShareableList::Item;
using Bytes = std::vector<std::byte>;

Bytes bytes_of(const std::string& text) {
  const auto all = std::as_bytes(std::span(text));
  return {all.begin(), all.end()};
}

TEST(ShareableList, HoldsWhatItWasMadeFrom) {
  const ShareableList list({1, -7, 2.5, "howdy", true, nullptr, bytes_of("raw")});
  ASSERT_EQ(list.size(), 7U);
  EXPECT_EQ(list.get<std::int64_t>(1), -7);
  EXPECT_EQ(list.get<double>(2), 2.5);
  EXPECT_EQ(list.get<std::string>(3), "howdy");
  EXPECT_EQ(list.get<bool>(4), true);
  EXPECT_EQ(list[5], Item(nullptr));
  EXPECT_EQ(list[-1], Item(bytes_of("raw")));
  EXPECT_EQ(list.format(), "qqd8sxxxxxxx?xxxxxx?x8s");
  EXPECT_EQ(list.count("howdy"), 1U);
  EXPECT_EQ(list.index(2.5), 2U);
  EXPECT_EQ(list.index("absent"), std::nullopt);
}

TEST(ShareableList, ChangesInPlace) {
  const ShareableList list({"twelve bytes", 5, 6});
  list.set(0, "sixteen bytes ok");
  list.set(1, "eight by");
  list.set(-1, nullptr);
  EXPECT_EQ(list.items(), (std::vector<Item>{"sixteen bytes ok", "eight by", nullptr}));
  list.set(0, 3.5);
  EXPECT_EQ(list.get<double>(0), 3.5);
  EXPECT_THROW(list.set(1, "nine byte"), std::invalid_argument);
  EXPECT_THROW(list.set(3, 1), std::out_of_range);
  EXPECT_THROW(static_cast<void>(list.get(-4)), std::out_of_range);
}

TEST(ShareableList, SaysWhatAnItemIsAndHowToGetIt) {
  const ShareableList list({1, "text"});
  EXPECT_EQ(text_of<mp::TypeMismatch>([&] { static_cast<void>(list.get<double>(0)); }),
            "asked for item 0 of a ShareableList as double, found a std::int64_t (Python's int); "
            "ask for that, get<std::int64_t>, or for an item of any type by get() without one");
  try {
    static_cast<void>(list.get<bool>(-1));
    ADD_FAILURE() << "it threw nothing";
  } catch (const mp::TypeMismatch& error) {
    EXPECT_EQ(error.asked(), "bool");
    EXPECT_EQ(error.found(), "std::string");
  }
}

TEST(ShareableList, GivesIntegersOfAnyTypeThatHasRoom) {
  const ShareableList list({7, -1, 5'000'000'000, "text"});
  EXPECT_EQ(list.get<int>(0), 7);
  EXPECT_EQ(list.get<std::uint8_t>(0), 7);
  EXPECT_EQ(list.get<std::size_t>(2), 5'000'000'000U);
  EXPECT_EQ(list.get<long long>(1), -1);
  EXPECT_EQ(text_of<mp::TypeMismatch>([&] { static_cast<void>(list.get<int>(2)); }),
            "asked for item 2 of a ShareableList as int, found 5000000000, for which that has no "
            "room; ask for get<std::int64_t>");
  EXPECT_THROW(static_cast<void>(list.get<unsigned>(1)), mp::TypeMismatch);
  EXPECT_NE(text_of<mp::TypeMismatch>([&] {
              static_cast<void>(list.get<int>(3));
            }).find("found a std::string"),
            std::string::npos);
}

TEST(ShareableList, IsAssignedToByIndex) {
  const ShareableList list({1, "room for it", 2.5});
  list[0] = 5;
  list[1] = "text";
  list[-1] = nullptr;
  EXPECT_EQ(list.items(), (std::vector<Item>{5, "text", nullptr}));
  list[2] = list[0];
  list[0] = list[1] = "both";
  EXPECT_EQ(list.items(), (std::vector<Item>{"both", "both", 5}));
  EXPECT_THROW(list[3] = 1, std::out_of_range);
  EXPECT_THROW(list[0] = "nine byte", std::invalid_argument);
  EXPECT_TRUE(list[0] == "both");
  EXPECT_TRUE(5 == list[2]);
  EXPECT_TRUE(list[0] == list[1]);
  EXPECT_TRUE(list[0] != list[2]);
  EXPECT_FALSE(list[2] == 5.0);  // in type too
}

TEST(ShareableList, AnItemByIndexIsAnItem) {
  const ShareableList list({7, "text"});
  auto number = list[0];
  EXPECT_EQ(std::get<std::int64_t>(number), 7);
  ASSERT_NE(std::get_if<std::int64_t>(&number), nullptr);
  EXPECT_EQ(number.index(), 2U);
  EXPECT_TRUE(std::holds_alternative<std::string>(list[1]));
  EXPECT_EQ(std::visit([](const auto& value) { return sizeof value; }, list[0]), 8U);
  const Item plain = list[1];
  EXPECT_EQ(plain, list[1]);
  EXPECT_EQ((std::vector<Item>{list[0], list[1]}), list.items());
  // What has a name is a copy.
  number = 8;
  EXPECT_EQ(std::get<std::int64_t>(number), 8);
  number = list[1];
  EXPECT_EQ(std::get<std::string>(number), "text");
  EXPECT_EQ(list.get<std::int64_t>(0), 7);
}

TEST(ShareableList, MayBeEmpty) {
  const ShareableList list(std::vector<Item>{});
  EXPECT_EQ(list.size(), 0U);
  EXPECT_EQ(ShareableList::attach(list.shm().name()).size(), 0U);
}

TEST(ShareableList, IsReadAndWrittenByPython) {
  const ShareableList list(
      {1, 2.5, "gr\xc3\xbc\xc3\x9f", true, nullptr, bytes_of("raw"), "room for more"});
  EXPECT_EQ(python("from multiprocessing import shared_memory, resource_tracker\n"
                   "l = shared_memory.ShareableList(name='" +
                   list.shm().name() +
                   "')\n"
                   "resource_tracker.unregister(l.shm._name, 'shared_memory')\n"
                   "print(list(l))\n"
                   "l[0] = 99; l[1] = 'eight'; l[2] = None; l[3] = False; l[4] = -1.25\n"
                   "l[5] = b'bytes'; l[6] = 'less'\n"),
            "[1, 2.5, 'gr\xc3\xbc\xc3\x9f', True, None, b'raw', 'room for more']\n");
  EXPECT_EQ(list.items(),
            (std::vector<Item>{99, "eight", nullptr, false, -1.25, bytes_of("bytes"), "less"}));
}

TEST(ShareableList, OfPythonIsReadAndWritten) {
  const std::string name = fresh_name("list");
  ASSERT_EQ(python("from multiprocessing import shared_memory, resource_tracker\n"
                   "l = shared_memory.ShareableList(['a', 'longer text', 7, 0.5, None, b'xy', "
                   "True], name='" +
                   name +
                   "')\n"
                   "resource_tracker.unregister(l.shm._name, 'shared_memory')\n"),
            "");
  const ShareableList list = ShareableList::attach(name);
  EXPECT_EQ(list.items(),
            (std::vector<Item>{"a", "longer text", 7, 0.5, nullptr, bytes_of("xy"), true}));
  list.set(0, 12);
  list.set(1, "short");
  list.set(4, "was none");
  EXPECT_EQ(python("from multiprocessing import shared_memory, resource_tracker\n"
                   "l = shared_memory.ShareableList(name='" +
                   name +
                   "')\n"
                   "resource_tracker.unregister(l.shm._name, 'shared_memory')\n"
                   "print(list(l))\n"),
            "[12, 'short', 7, 0.5, 'was none', b'xy', True]\n");
  list.shm().unlink();
}

TEST(ShareableList, TravelsToAProcess) {
  const ShareableList list({1, "text"});
  mp::Process process([](const ShareableList& l) { l.set(0, l.get<std::string>(1)); }, list);
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(list.get<std::string>(0), "text");
}

TEST(ShareableList, InABlockOfSomethingElseIsADecodeError) {
  const auto memory = mp::SharedMemory::create(64);
  std::memset(memory.buf().data(), 0x7f, 64);
  EXPECT_NE(
      text_of<mp::DecodeError>([&] { ShareableList::attach(memory.name()); }).find(memory.name()),
      std::string::npos);
  const auto small = mp::SharedMemory::create(8);
  EXPECT_NE(text_of<mp::DecodeError>([&] {
              ShareableList::attach(small.name());
            }).find("a list has 16 at least"),
            std::string::npos);
}

TEST(ShareableList, WithAnyByteChangedIsReadOrRefused) {
  const ShareableList list({1, 2.5, "text", true, nullptr, bytes_of("raw")});
  const auto buf = list.shm().buf();
  const std::vector<std::byte> good(buf.begin(), buf.end());
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x08, 0x3f, 0x7f, 0x80, 0xff}) {
      std::ranges::copy(good, buf.begin());
      buf[at] = static_cast<std::byte>(value);
      try {
        static_cast<void>(ShareableList::attach(list.shm().name()).items());
      } catch (const mp::DecodeError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace shared_test
