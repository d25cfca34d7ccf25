#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "procession/procession.hpp"

// What the tables of numbers at their limits share. Each row is one option, constructor or call
// with one number, and says what comes of it: it works, or it is refused by an exception that says
// what was asked and what the limit is.
namespace limits_test {

namespace mp = procession;

inline constexpr std::int64_t kLeastInt = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kMostInt = std::numeric_limits<std::int64_t>::max();
inline constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();

/// What a row expects.
enum class Comes {
  works,         ///< the trial returns true
  invalid,       ///< std::invalid_argument
  out_of_range,  ///< std::out_of_range: an index of nothing
  no_memory,     ///< std::bad_alloc, of which OutOfMemory is one
  refused        ///< ProcessError: more than the object has room for now
};

struct Row {
  const char* what;               ///< the option or call, and the number
  Comes comes;                    ///< what is expected
  std::vector<const char*> says;  ///< words of the exception: the number asked for, the limit
  std::function<bool()> trial;    ///< true: it did what it should
};

inline std::string name_of(Comes comes) {
  constexpr const char* kNames[] = {"works", "std::invalid_argument", "std::out_of_range",
                                    "std::bad_alloc", "ProcessError"};
  return kNames[static_cast<int>(comes)];
}

inline void run(const Row& row) {
  SCOPED_TRACE(row.what);
  Comes came = Comes::works;
  std::string text;
  try {
    EXPECT_TRUE(row.trial()) << "it returned, and did something else than it should";
  } catch (const std::invalid_argument& error) {
    came = Comes::invalid;
    text = error.what();
  } catch (const std::out_of_range& error) {
    came = Comes::out_of_range;
    text = error.what();
  } catch (const std::bad_alloc& error) {
    came = Comes::no_memory;
    text = error.what();
  } catch (const mp::ProcessError& error) {
    came = Comes::refused;
    text = error.what();
  }
  EXPECT_EQ(name_of(came), name_of(row.comes)) << text;
  for (const char* const word : row.says) {
    EXPECT_NE(text.find(word), std::string::npos) << "no \"" << word << "\" in: " << text;
  }
}

inline void run(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    run(row);
}

}  // namespace limits_test
