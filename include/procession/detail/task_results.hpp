#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "procession/detail/call.hpp"
#include "procession/detail/pool_core.hpp"

/// From a job's bytes to what the caller asked for.
namespace procession::detail {

/// The result of a map of a function that returns R: a vector, but void of void.
template <class R>
struct MapResult {
  using type = std::vector<R>;
};
template <>
struct MapResult<void> {
  using type = void;
};

/// The only result.
template <class R>
R decode_single(const JobPtr& job) {
  Decoder decoder(finished_result(job));
  return decode_stored<R>(decoder);
}

/// The result of a job that has been finished.
template <class R>
struct TaskResults {
  static R decode(const JobPtr& job) { return decode_single<R>(job); }
};

template <>
struct TaskResults<void> {
  static void decode(const JobPtr& /*job*/) {}
};

/// The results of a map, or of a single call that returned a vector.
template <class R>
struct TaskResults<std::vector<R>> {
  static std::vector<R> decode(const JobPtr& job) {
    if (!job_is_map(job)) {
      return decode_single<std::vector<R>>(job);
    }
    const std::vector<Piece> pieces = finished_pieces(job);
    std::size_t total = 0;
    for (const Piece& piece : pieces) {
      total += piece.count;
    }
    std::vector<R> results;
    results.reserve(total);
    for (const Piece& piece : pieces) {
      append(results, piece);
    }
    return results;
  }

 private:
  static void append(std::vector<R>& results, const Piece& piece) {
    if constexpr (kBitwise<R>) {
      // Encoded as they lie in memory: no need to look at each, where they lie as an R has to. Few
      // small ones lie in the task's own slot, at a multiple of 8.
      const auto place = reinterpret_cast<std::uintptr_t>(piece.bytes.data());
      if (piece.bytes.size() == piece.count * sizeof(R) && place % alignof(R) == 0) {
        const auto* const begin = reinterpret_cast<const R*>(piece.bytes.data());
        results.insert(results.end(), begin, begin + piece.count);
        return;
      }
    }
    Decoder decoder(piece.bytes);
    for (std::size_t i = 0; i < piece.count; ++i) {
      results.push_back(decode_stored<R>(decoder));
    }
  }
};

}  // namespace procession::detail
