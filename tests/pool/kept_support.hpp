#pragma once

#include <gtest/gtest.h>

#include <ranges>
#include <utility>

#include "procession/codec.hpp"
#include "support.hpp"

// Functions of which it is known how often they were decoded, and where they are.
namespace procession::pooltest {

/// Counts in a Tally how often one was decoded, [0], and how many of the decoded are there, [1].
class Counted {
 public:
  Counted() = default;
  Counted(Where where, int added) : where_(where), added_(added) {}
  Counted(const Counted& other) : where_(other.where_), added_(other.added_) { enter(other.live_); }
  Counted(Counted&& other) noexcept : where_(other.where_), added_(other.added_) {
    live_ = std::exchange(other.live_, false);
  }
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (live_) {
      --counter(where_, 1);
    }
  }
  int operator()(int x) const { return x + added_; }
  [[nodiscard]] int added() const { return added_; }

  friend void encode(Encoder& encoder, const Counted& counted) {
    procession::encode(encoder, counted.where_);
    procession::encode(encoder, counted.added_);
  }
  friend void decode(Decoder& decoder, Counted& counted) {
    procession::decode(decoder, counted.where_);
    procession::decode(decoder, counted.added_);
    ++counter(counted.where_);
    counted.enter(true);
    if (counted.added_ < 0) {
      throw std::domain_error("not to be read");
    }
  }

 private:
  void enter(bool live) {
    live_ = live;
    if (live_) {
      ++counter(where_, 1);
    }
  }

  Where where_ = 0;
  int added_ = 0;
  bool live_ = false;
};

inline constexpr int kElements = 400;

inline int plus_added(const Counted& counted, int x) { return counted(x); }
inline int both_added(const Counted& counted, int x, int y) { return counted(x + y); }

inline auto elements(int count = kElements) { return std::views::iota(0, count); }

template <class Results>
void expect_added(Results&& results, int added) {
  int x = 0;
  for (const int result : results) {
    ASSERT_EQ(result, x++ + added);
  }
  EXPECT_EQ(x, kElements);
}

}  // namespace procession::pooltest
