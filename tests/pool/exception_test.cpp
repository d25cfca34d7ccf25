// What a task throws.

#include <array>
#include <csignal>
#include <filesystem>
#include <ranges>
#include <set>
#include <string>
#include <system_error>

#include "kinds.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::pooltest {

/// Announced, with its fields.
struct NoSuchRow {
  std::string table;
  std::int64_t id = 0;
};
inline const bool no_such_row_known = register_exception<NoSuchRow>();

/// Announced, with its text.
class ParseError : public std::runtime_error {
 public:
  explicit ParseError(const std::string& text) : std::runtime_error(text) {}
};
inline const bool parse_error_known = register_exception<ParseError>();

/// Not announced.
class Unheard : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace {

int throw_some(int x) {
  if (x % 10 == 3) {
    throw std::invalid_argument("bad element " + std::to_string(x));
  }
  return x;
}
int count_and_throw_some(Where tally, int x) {
  ++counter(tally, static_cast<std::size_t>(x));
  return throw_some(x);
}

template <class Kind>
class PoolException : public testing::Test {};
TYPED_TEST_SUITE(PoolException, PoolKinds, PoolKindNames);

TYPED_TEST(PoolException, HasItsTypeTextAndPlace) {
  TypeParam pool(1);
  const int pid = pool.pids().at(0);
  try {
    pool.apply([] { throw std::invalid_argument("bad"); });
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "bad");
    const RemoteTrace* const trace = remote_trace(error);
    ASSERT_NE(trace, nullptr);
    EXPECT_EQ(trace->type(), "std::invalid_argument");
    EXPECT_EQ(trace->text(), "bad");
    EXPECT_EQ(trace->task_index(), 0U);
    EXPECT_EQ(trace->pid(), pid);
  }
}

TYPED_TEST(PoolException, StandardTypes) {
  TypeParam pool(1);
  EXPECT_THROW(pool.apply([] { throw std::logic_error("x"); }), std::logic_error);
  EXPECT_THROW(pool.apply([] { throw std::range_error("x"); }), std::range_error);
  EXPECT_THROW(pool.apply([] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_THROW(pool.apply([] { static_cast<void>(std::vector<int>().at(1)); }), std::out_of_range);
  EXPECT_THROW(pool.apply([] { static_cast<void>(std::get<int>(std::variant<char, int>('a'))); }),
               std::bad_variant_access);
  EXPECT_THROW(pool.apply([] { throw KeyError("k"); }), KeyError);
  try {
    pool.apply([] { throw std::system_error(ENOENT, std::generic_category(), "open"); });
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
  try {
    pool.apply([] { return std::filesystem::file_size("/nowhere/at/all"); });
    FAIL();
  } catch (const std::filesystem::filesystem_error& error) {
    EXPECT_EQ(error.path1(), "/nowhere/at/all");
  }
}

TYPED_TEST(PoolException, AnnouncedTypes) {
  TypeParam pool(1);
  try {
    pool.apply([] { throw NoSuchRow{"users", 17}; });
    FAIL();
  } catch (const NoSuchRow& row) {
    EXPECT_EQ(row.table, "users");
    EXPECT_EQ(row.id, 17);
  }
  try {
    pool.apply([] { throw ParseError("line 3"); });
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_STREQ(error.what(), "line 3");
  }
}

TEST(PoolExceptionOfProcesses, UnknownTypes) {
  Pool pool(1);
  try {
    pool.apply([] { throw Unheard("of"); });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_NE(error.type().find("Unheard"), std::string::npos);
    EXPECT_EQ(error.text(), "of");
    EXPECT_NE(std::string(error.what()).find("of"), std::string::npos);
  }
  try {
    pool.apply([] { throw 42; });
    FAIL();
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type(), "int");
    EXPECT_EQ(error.text(), "42");
  }
  EXPECT_EQ(pool.apply([] { return 1; }), 1);
}

TYPED_TEST(PoolException, NestedOnes) {
  TypeParam pool(1);
  try {
    pool.apply([] {
      try {
        throw NoSuchRow{"inner", 1};
      } catch (...) {
        std::throw_with_nested(std::runtime_error("outer"));
      }
    });
    FAIL();
  } catch (const std::runtime_error& outer) {
    EXPECT_STREQ(outer.what(), "outer");
    try {
      std::rethrow_if_nested(outer);
      FAIL();
    } catch (const NoSuchRow& inner) {
      EXPECT_EQ(inner.table, "inner");
    }
  }
}

TYPED_TEST(PoolException, ALargeOne) {
  TypeParam pool(1);
  for (const std::size_t size : {10U, 48U, 100U, 1'000U, 3'000'000U}) {
    try {
      pool.apply([](std::size_t n) { throw std::runtime_error(std::string(n, 'e')); }, size);
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), std::string(size, 'e'));
    }
  }
}

TYPED_TEST(PoolException, TheFirstOfAMapAndAllOthersRun) {
  TypeParam pool(2);
  for (const std::size_t chunk : {1U, 3U, 7U, 100U}) {
    Tally tally(100);
    try {
      pool.map(procession::bind(count_and_throw_some, tally.where()), std::views::iota(0, 100),
               {.chunksize = chunk});
      FAIL();
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), "bad element 3");
      const RemoteTrace* const trace = remote_trace(error);
      ASSERT_NE(trace, nullptr);
      EXPECT_EQ(trace->task_index(), 3U);
      const auto pids = pool.pids();
      EXPECT_NE(std::find(pids.begin(), pids.end(), trace->pid()), pids.end());
    }
    EXPECT_EQ(tally.other_than(1), 0U) << chunk;
  }
}

TYPED_TEST(PoolException, OfEveryElement) {
  TypeParam pool(2);
  Tally tally(5000);
  const auto result = pool.map_async(procession::bind(
                                         [](Where where, std::size_t index) {
                                           ++counter(where, index);
                                           throw std::runtime_error(std::to_string(index));
                                         },
                                         tally.where()),
                                     std::views::iota(std::size_t{0}, tally.size()));
  EXPECT_TRUE(result.wait());
  EXPECT_FALSE(result.successful());
  EXPECT_EQ(tally.other_than(1), 0U);
  try {
    result.get();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "0");
  }
}

// Each exception costs what a result costs.
TYPED_TEST(PoolException, OfEveryElementOfALargeChunk) {
  TypeParam pool(2);
  Tally tally(kSanitized ? 10'000 : 100'000);
  EXPECT_THROW(
      pool.map(procession::bind(
                   [](Where where, std::size_t index) -> std::string {
                     ++counter(where, index);
                     throw std::runtime_error(std::string(100, 'e'));
                   },
                   tally.where()),
               std::views::iota(std::size_t{0}, tally.size()), {.chunksize = tally.size() / 2}),
      std::runtime_error);
  EXPECT_EQ(tally.other_than(1), 0U);
}

TEST(PoolOfProcesses, BesideLostWorkersInTheSameChunk) {
  Pool pool(1);
  for (const int lost : {0, 2, 4, 9}) {
    for (const unsigned retries : {0U, 1U}) {
      for (const std::size_t size : {0U, 10U, 10'000U}) {
        Tally tally(10);
        const auto run = procession::bind(
            [](Where where, int bad, std::size_t bytes, int x) {
              if (++counter(where, static_cast<std::size_t>(x)) == 1 && x == bad) {
                ::raise(SIGKILL);
              }
              if (x == 3 || x == 7) {
                throw std::out_of_range("element " + std::to_string(x));
              }
              return std::string(bytes, 'r');
            },
            tally.where(), lost, size);
        try {
          pool.map(run, std::views::iota(0, 10), {.chunksize = 10, .retries = retries});
          FAIL();
        } catch (const std::out_of_range& error) {
          EXPECT_TRUE(lost > 3 || retries != 0) << lost;
          EXPECT_STREQ(error.what(), "element 3");
          ASSERT_NE(remote_trace(error), nullptr);
          EXPECT_EQ(remote_trace(error)->task_index(), 3U);
        } catch (const WorkerLost& error) {
          EXPECT_TRUE(lost < 3 && retries == 0) << lost;
          EXPECT_EQ(error.task_index(), static_cast<std::size_t>(lost));
        }
        for (std::size_t i = 0; i < 10; ++i) {
          EXPECT_EQ(tally[i], 1U + (i == static_cast<std::size_t>(lost) ? retries : 0U)) << i;
        }
      }
    }
  }
}

TYPED_TEST(PoolException, AtTheEndsOfAChunk) {
  TypeParam pool(1);
  for (const int at : {0, 9, 10, 19}) {
    Tally tally(20);
    EXPECT_THROW(pool.map(procession::bind(
                              [](Where where, int bad, int x) {
                                ++counter(where, static_cast<std::size_t>(x));
                                return x == bad ? throw std::out_of_range("x") : x;
                              },
                              tally.where(), at),
                          std::views::iota(0, 20), {.chunksize = 10}),
                 std::out_of_range);
    EXPECT_EQ(tally.other_than(1), 0U) << at;
  }
}

/// Its result cannot be sent: writing it throws.
struct Stubborn {
  int value = 0;
};
void encode(Encoder& encoder, const Stubborn& stubborn) {
  procession::encode(encoder, stubborn.value);
  if (stubborn.value == 2) {
    throw std::domain_error("not to be sent");
  }
}
void decode(Decoder& decoder, Stubborn& stubborn) { procession::decode(decoder, stubborn.value); }

TYPED_TEST(PoolException, OfTheEncodingOfAResult) {
  TypeParam pool(1);
  EXPECT_THROW(pool.apply([](int x) { return Stubborn{x}; }, 2), std::domain_error);
  EXPECT_THROW(pool.map([](int x) { return Stubborn{x}; }, {1, 2, 3}, {.chunksize = 3}),
               std::domain_error);
  EXPECT_EQ(pool.map([](int x) { return Stubborn{x}; }, {1, 3}).at(1).value, 3);
}

TYPED_TEST(PoolException, OfTheEncodingOfAnArgument) {
  TypeParam pool(1);
  EXPECT_THROW(pool.apply([](const Stubborn& s) { return s.value; }, Stubborn{2}),
               std::domain_error);
  EXPECT_THROW(pool.map([](const Stubborn& s) { return s.value; },
                        {Stubborn{1}, Stubborn{2}, Stubborn{3}}, {.chunksize = 1}),
               std::domain_error);
  EXPECT_EQ(pool.apply([](const Stubborn& s) { return s.value; }, Stubborn{5}), 5);
}

/// Cannot be read.
struct Illegible {
  int value = 0;
};
void encode(Encoder& encoder, const Illegible& illegible) {
  procession::encode(encoder, illegible.value);
}
void decode(Decoder& decoder, Illegible& illegible) {
  procession::decode(decoder, illegible.value);
  if (illegible.value == 2) {
    throw std::domain_error("not to be read");
  }
}

TYPED_TEST(PoolException, OfTheDecodingOfAnArgument) {
  TypeParam pool(1);
  const auto work = [](const Illegible& i) {
    return i.value == 1 ? throw std::range_error("one") : i.value;
  };
  EXPECT_THROW(pool.apply(work, Illegible{2}), std::domain_error);
  EXPECT_THROW(
      pool.map(work, {Illegible{0}, Illegible{2}, Illegible{1}, Illegible{3}}, {.chunksize = 4}),
      std::domain_error);
  EXPECT_THROW(
      pool.map(work, {Illegible{0}, Illegible{1}, Illegible{2}, Illegible{3}}, {.chunksize = 4}),
      std::range_error);
  EXPECT_EQ(pool.apply(work, Illegible{4}), 4);
}

}  // namespace
}  // namespace procession::pooltest
