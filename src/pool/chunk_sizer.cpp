#include <algorithm>

#include "pool/job.hpp"

// How elements whose times nobody knows are divided among workers: little at first, then by what
// was measured.
namespace procession::detail {

namespace {

/// A task is to take about so long: handing it over costs a thousandth of that.
constexpr double kTask = 2e6;  // ns
/// However little is left, no task is to take less: two workers that end a little apart cost less
/// than handing over.
constexpr double kLeastTask = 100e3;  // ns
/// What is decoded for each task is to take no more of its time than one part of so many, and where
/// little is left, half of it. At 4 the whole takes a tenth longer; at 16 the last tasks end
/// further apart.
constexpr double kDecodingParts = 8;
/// What was encoded together is handed over whole if it takes no longer.
constexpr double kShortPart = 1e6;  // ns
/// What each worker has before it, so that it does not run dry while nobody looks.
constexpr std::size_t kTasksAhead = 4;
constexpr double kTimeAhead = 25e6;  // ns

}  // namespace

std::size_t ChunkSizer::next(std::size_t total, std::size_t workers, std::size_t slots) const {
  const std::size_t rest = total - std::min(begun, total);
  // Towards the end ever less, so that all end at about the same time.
  const std::size_t share = rest / (2 * workers);
  const bool enough = slots >= kTasksAhead * workers;
  if (measured == 0) {
    // The longer nothing is heard of the first ones, the longer they take.
    const std::size_t tried = std::size_t{1} << std::min<std::size_t>(tasks / (2 * workers), 10);
    return enough ? 0 : std::max<std::size_t>(1, std::min(tried, share));
  }
  const double each = std::max(nanoseconds / static_cast<double>(measured), 0.1);
  if (each * static_cast<double>(total) <
      kShortPart * static_cast<double>(kPartsForEach * workers)) {
    return total;  // not worth dividing what was encoded together
  }
  if (enough &&
      static_cast<double>(under_way) * each >= kTimeAhead * static_cast<double>(workers)) {
    return 0;
  }
  const auto least = static_cast<std::size_t>(std::max(kLeastTask, decoding) / each);
  const auto most = static_cast<std::size_t>(std::max(kTask, kDecodingParts * decoding) / each);
  return std::max({std::size_t{1}, least, std::min(most, share)});
}

std::size_t ChunkSizer::next_chunks(std::size_t chunksize, std::size_t workers,
                                    std::size_t slots) const {
  if (measured == 0) {
    return chunksize;
  }
  const double each = std::max(nanoseconds / static_cast<double>(measured), 0.1);
  if (slots >= kTasksAhead * workers &&
      static_cast<double>(under_way) * each >= kTimeAhead * static_cast<double>(workers)) {
    return 0;
  }
  const auto most = static_cast<std::size_t>(kLeastTask / each);
  return std::max<std::size_t>(most / chunksize, 1) * chunksize;
}

void ChunkSizer::measure(std::size_t elements, const pool::TaskTime& time) {
  // What was long ago counts less: elements may become slower.
  constexpr double kForget = 0.75;
  const double kept = tasks > 8 ? kForget : 1;
  measured = static_cast<std::size_t>(static_cast<double>(measured) * kept) + elements;
  nanoseconds = nanoseconds * kept + static_cast<double>(time.elements);
  decoding = static_cast<double>(time.decoding);
}

MapChunk::Range MapChunk::range(std::size_t from, std::size_t elements) const {
  if (stride != 0) {
    return {from * stride, (from + elements) * stride, 0};
  }
  const std::size_t begin = from / grain;
  const std::size_t end = (from + elements + grain - 1) / grain;
  return {marks[begin], end < marks.size() ? marks[end] : items.size, from - begin * grain};
}

}  // namespace procession::detail
