// The corpus of the codec's fuzzer, replayed: as it is, cut short, and with each byte changed.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "../fuzz/codec_target.hpp"
#include "codec_support.hpp"

namespace codec_fuzz {
namespace {

std::filesystem::path corpus_folder() {
  return std::filesystem::path(PROCESSION_TESTS_DIR) / "fuzz/corpus/codec";
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Each file of the corpus by name: the number of its type, then an encoding.
std::map<std::string, Bytes> seeds() {
  std::map<std::string, Bytes> seeds;
  const auto add = [&](const std::string& name, unsigned type, const auto& value) {
    Bytes bytes = encoded(value);
    bytes.insert(bytes.begin(), static_cast<std::byte>(type));
    seeds[name] = std::move(bytes);
  };
  Record record;
  record.text = "text";
  record.wide_text = u"wide";
  record.points = {{1, 2}, {3, 4}};
  record.bits = {true, false, true};
  record.path = "/tmp";
  record.pair = {1.5, std::nullopt};
  record.owner = std::make_unique<Point>();
  add("record", 0, record);
  add("record_empty", 0, Record());
  Tree tree;
  tree.name = "root";
  tree.children.resize(2);
  tree.children[0].children.resize(1);
  tree.spare = std::make_unique<Tree>();
  add("tree", 1, tree);
  std::vector<Choice> choices;
  choices.emplace_back();
  choices.emplace_back(std::int64_t{7});
  choices.emplace_back("text");
  choices.emplace_back(std::vector<bool>{true});
  choices.emplace_back(std::make_unique<std::string>("owned"));
  choices.emplace_back(std::pair(Colour::blue, Point{1, 2}));
  add("choices", 2, choices);
  add("words", 3, std::vector<std::string>{"", "a", "bc"});
  add("lists", 4, std::deque<std::list<std::optional<std::string>>>{{}, {"x", std::nullopt}});
  add("numbers", 5, std::vector<std::vector<std::uint16_t>>{{1, 2, 3}, {}, {4}});
  add("hooks", 6, std::pair(std::vector<Hooked>(2), std::vector<Silent>(3)));
  add("map", 7, std::map<std::string, std::vector<std::pair<int, bool>>>{{"k", {{1, true}}}});
  add("sets", 8,
      std::pair(std::set<std::uint16_t>{1, 2},
                std::multimap<std::uint8_t, std::string>{{1, "a"}, {1, "b"}}));
  add("hash", 9, std::unordered_map<std::string, std::set<int>>{{"a", {1, 2}}, {"b", {}}});
  add("hashed_sets", 10,
      std::pair(std::unordered_multiset<int>{1, 1}, std::unordered_set<std::string>{"x"}));
  add("bits", 11, std::vector<bool>(13, true));
  return seeds;
}

// Run with PROCESSION_WRITE_CORPUS=1 to write the files anew after a change of the encoding.
TEST(Corpus, HoldsTheSeedsAsTheyAreEncodedToday) {
  for (const auto& [name, bytes] : seeds()) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(run(bytes));
    if (std::getenv("PROCESSION_WRITE_CORPUS") != nullptr) {
      std::ofstream file(corpus_folder() / name, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
    }
    if (name != "hash" && name != "hashed_sets") {  // whose order is the library's
      EXPECT_EQ(read(corpus_folder() / name), bytes);
    }
  }
}

TEST(Corpus, EveryCutAndChangeIsAValueOrADecodeError) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_folder())) {
    SCOPED_TRACE(entry.path().filename().string());
    ++files;
    const Bytes whole = read(entry.path());
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      run(std::span(whole).first(size));
    }
    for (std::size_t at = 0; at != whole.size(); ++at) {
      Bytes changed = whole;
      for (const unsigned value : {0U, 1U, 2U, 8U, 127U, 128U, 255U}) {
        changed[at] = static_cast<std::byte>(value);
        run(changed);
      }
    }
  }
  EXPECT_GE(files, seeds().size());
}

}  // namespace
}  // namespace codec_fuzz
