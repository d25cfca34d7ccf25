// What all handles have in common, shown with a handle of the test's own.

#include "procession/detail/handle.hpp"

#include <sys/wait.h>

#include <atomic>
#include <vector>

#include "heap/block_encoder.hpp"
#include "process/support.hpp"
#include "procession/pool.hpp"

namespace process_test {

using mp::detail::Handle;

/// A number that processes share.
class Cell {
 public:
  explicit Cell(int value = 0) {
    if (mp::detail::vacant_handles()) return;
    mp::heap::Block block(sizeof(Object), true);
    auto* object = mp::heap::at<Object>(block.offset());
    object->header = kHeader;
    object->value = value;
    handle_ = Handle::own(block.release());
  }

  [[nodiscard]] int add(int n) const { return object().value += n; }
  [[nodiscard]] int value() const { return object().value; }

  friend void encode(mp::Encoder& encoder, const Cell& cell) {
    cell.handle_.encode(encoder, "a Cell");
  }
  friend void decode(mp::Decoder& decoder, Cell& cell) {
    cell.handle_ = Handle::decode(decoder, kHeader, "a Cell");
  }

 private:
  struct Object {
    mp::detail::ObjectHeader header;
    std::atomic<int> value;
  };
  static constexpr mp::detail::ObjectHeader kHeader{0x6365'6c6c, 1};

  Object& object() const { return handle_.object<Object>("a Cell"); }

  Handle handle_;
};

struct Parcel {
  int number;
  std::vector<Cell> cells;
  Cell direct;
};

}  // namespace process_test

template <>
inline constexpr bool procession::detail::kIsHandle<process_test::Cell> = true;

namespace process_test {
namespace {

void add_three(const Cell& cell) { static_cast<void>(cell.add(3)); }
void add_to_all(const Parcel& parcel) {
  for (const Cell& cell : parcel.cells)
    static_cast<void>(cell.add(parcel.number));
  static_cast<void>(parcel.direct.add(parcel.number));
}

bool start_a_pool() {
  {
    mp::Pool pool(1);
    pool.apply([] {});
  }
  // What a pool had is given back a moment after its end.
  for (std::uint64_t seen = 0; seen != mp::heap::audit().blocks;) {
    seen = mp::heap::audit().blocks;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

/// Blocks in use, besides what a process has for good once it has had children.
std::uint64_t blocks() {
  static const bool warm = exitcode_of(StartMethod::forkserver, [] {}) == 0 && start_a_pool();
  return mp::heap::audit().blocks - (warm ? 0 : 1);
}

class HandleBy : public testing::TestWithParam<StartMethod> {};

TEST_P(HandleBy, NamesTheSameObjectInAnotherProcess) {
  const Cell cell(1);
  EXPECT_EQ(exitcode_of(GetParam(), add_three, cell), 0);
  EXPECT_EQ(cell.value(), 4);
}

TEST_P(HandleBy, TravelsInStructsAndContainers) {
  const Parcel parcel{2, {Cell(10), Cell(20)}, Cell(30)};
  EXPECT_EQ(exitcode_of(GetParam(), add_to_all, parcel), 0);
  EXPECT_EQ(parcel.cells[0].value(), 12);
  EXPECT_EQ(parcel.cells[1].value(), 22);
  EXPECT_EQ(parcel.direct.value(), 32);
}

TEST_P(HandleBy, IsHeldByTheCallUntilTheChildHasIt) {
  const std::uint64_t before = blocks();
  {
    std::optional<Cell> cell(5);
    mp::Process process({.start_method = GetParam()}, add_three, *cell);
    cell.reset();
    process.start();
    process.join();
    EXPECT_EQ(process.exitcode(), 0);
  }
  EXPECT_EQ(blocks(), before);
}

INSTANTIATE_TEST_SUITE_P(All, HandleBy,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn,
                                         StartMethod::fork, StartMethod::thread),
                         [](const auto& test) { return mp::to_string(test.param); });

TEST(Handle, IsAnArgumentAndAResultOfTasks) {
  for (int i = 0; i < 3; ++i) {
    mp::Pool(2).apply([] {});  // now there are as many fork servers as there will be
  }
  const std::uint64_t before = blocks();
  {
    mp::Pool pool(2);
    const Cell cell(1);
    pool.apply(add_three, cell);
    EXPECT_EQ(cell.value(), 4);
    const std::vector<Cell> made = pool.map([](int n) { return Cell(n); }, std::vector{7, 8, 9});
    ASSERT_EQ(made.size(), 3U);
    EXPECT_EQ(made[0].value(), 7);
    EXPECT_EQ(made[2].value(), 9);
    pool.map([](const Cell& each) { static_cast<void>(each.add(100)); }, made);
    EXPECT_EQ(made[1].value(), 108);
    pool.close();
    pool.join();
  }
  wait_until([&] { return blocks() == before; });
}

TEST(Handle, ThatCrossesAForkOfTheProgramIsHeldByBoth) {
  std::optional<Cell> cell(1);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  mp::Process([] {}).start();  // from now on, forks are the library's business too
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    // The parent has dropped its own by then, and something else may lie there.
    const bool told = ::read(ready[0], &byte, 1) == 1;
    const Cell other(50);
    ::_exit(told && cell->add(1) == 2 && other.value() == 50 ? 0 : 1);
  }
  cell.reset();
  const Cell another(77);
  ASSERT_EQ(::write(ready[1], "x", 1), 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(Handle, DecodesDamagedNamesToAnErrorOnly) {
  const Cell cell(1);
  mp::BufferEncoder lost;
  EXPECT_THROW(mp::encode(lost, cell), mp::ProcessError);  // bytes that go nowhere hold nothing
  for (const std::uint64_t name : {std::uint64_t{0}, std::uint64_t{64}, std::uint64_t{4096},
                                   std::uint64_t{1} << 60, mp::heap::self()}) {
    mp::BufferEncoder bytes;
    mp::encode(bytes, name);
    mp::Decoder decoder(bytes.bytes());
    EXPECT_THROW(mp::decode<Cell>(decoder), mp::DecodeError) << name;
  }
}

TEST(Handle, ThatNamesNothingSaysSo) {
  Cell cell(1);
  const Cell taken = std::move(cell);
  EXPECT_NE(text_of<mp::ProcessError>([&] {
              static_cast<void>(cell.value());
            }).find("a Cell that names nothing"),
            std::string::npos);
  EXPECT_EQ(taken.value(), 1);
}

}  // namespace
}  // namespace process_test
