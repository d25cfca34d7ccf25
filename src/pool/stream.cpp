#include "pool/stream.hpp"
#include "platform/spawn.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "pool/core.hpp"
#include "procession/detail/task_run.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace procession::detail {

namespace {

/// Chunks for each worker that are under way or wait for their reader: enough that a worker does
/// not run dry while the reader is woken.
constexpr std::size_t kChunksPerWorker = 32;
/// The most of them, where they end so fast that handing over few at a time would cost more.
constexpr std::size_t kMostChunksPerWorker = 512;
/// From a slow source, so many chunks for each worker are under way at most: no worker waits for an
/// element, and no result waits for elements that no worker can run yet.
constexpr std::size_t kSlowAhead = 2;
/// The window grows while it is read through in less than the first of these, and shrinks where
/// that takes longer than the second.
constexpr std::chrono::milliseconds kFastWindow{1};
constexpr std::chrono::milliseconds kSlowWindow{8};

/// Where the caller did not choose, `per_worker` chunks for each.
std::size_t window_of(const StreamSettings& settings, std::size_t chunksize, std::size_t workers,
                      std::size_t per_worker) {
  const std::size_t whole = settings.buffersize / chunksize;
  const std::size_t chunks = settings.buffersize != 0
                                 ? whole + (settings.buffersize % chunksize != 0 ? 1 : 0)
                                 : per_worker * workers;
  return std::min(chunks, pool::kSlots);
}

std::size_t chunksize_of(const StreamSettings& settings, const PoolCore& pool) {
  // A thread that is late with an element goes on with its chunk, of which no more can be told.
  return settings.job.timeout && pool.on_threads()
             ? 1
             : std::clamp<std::size_t>(settings.chunksize, 1, pool::kMostInChunk);
}

JobSettings without_progress(JobSettings settings) {
  settings.progress = nullptr;  // is told by the reader, which knows how many there are
  return settings;
}

}  // namespace

Stream::Stream(const PoolPtr& pool, TaskBuilder& call, std::unique_ptr<StreamSource> source,
               StreamSettings settings)
    : pool_(pool),
      settings_(std::move(settings)),
      chunksize_(chunksize_of(settings_, *pool)),
      window_(window_of(settings_, chunksize_, pool->size(), kChunksPerWorker)),
      least_window_(window_),
      most_window_(window_of(settings_, chunksize_, pool->size(), kMostChunksPerWorker)),
      filled_(std::chrono::steady_clock::now()),
      source_(std::move(source)),
      job_(std::make_shared<Job>(pool, without_progress(settings_.job))),
      held_(job_) {
  job_->take_call(call);
  pool_->open_stream(held_);
}

Stream::~Stream() {
  if (!pool_->disowned()) {
    pool_->abandon(held_);
    return;
  }
  held_.disown();
  ready_.push_back(std::move(chunk_));
  for (const ChunkPtr& chunk : ready_) {
    if (chunk != nullptr) {
      chunk->disown();
    }
  }
}

Decoder* Stream::next(Timeout timeout) {
  const platform::Deadline deadline(timeout);
  for (;;) {
    if (chunk_ != nullptr && at_ < chunk_->first + chunk_->count) {
      return next_of_chunk();
    }
    let_go();
    if (rest_failure_ == nullptr) {
      refill(deadline);
    }
    if (take_chunk()) {
      continue;
    }
    if (rest_failure_ != nullptr) {
      return next_of_failed();
    }
    if (taken_ == chunks_) {
      if (source_failure_ != nullptr) {
        std::rethrow_exception(std::exchange(source_failure_, nullptr));
      }
      return nullptr;
    }
    std::vector<ChunkPtr> ended = await(deadline);
    if (ended.empty() && rest_failure_ == nullptr) {
      throw TimeoutError("the next result was asked for within " + platform::to_text(*timeout) +
                         " and was not ready; the task goes on: ask again, or give it longer");
    }
    arrive(std::move(ended));
  }
}

/// Chunks that have ended; none when the deadline passes first, or all that is left has failed.
std::vector<Stream::ChunkPtr> Stream::await(const platform::Deadline& deadline) {
  try {
    return pool_->await_chunks(*job_, deadline);
  } catch (...) {
    if (!job_->ended()) {
      throw;
    }
    rest_failure_ = std::current_exception();
    return {};
  }
}

/// Each element that was taken from the range fails; then, if there may be more, the range itself,
/// so that nobody takes this for its end.
Decoder* Stream::next_of_failed() {
  if (read_ == pulled_ && std::exchange(source_, nullptr) == nullptr) {
    return nullptr;
  }
  if (read_ < pulled_) {
    count_one();
  }
  std::rethrow_exception(rest_failure_);
}

/// The chunk has been read. Its memory serves for the next one, unless a thread is at it still.
void Stream::let_go() {
  if (chunk_ != nullptr && chunk_.use_count() == 1 && chunk_->items.far == nullptr) {
    chunk_->results.clear();
    chunk_->failures.clear();
    spare_.push_back(std::move(chunk_));
  }
  chunk_.reset();
}

/// Fills the window, in strokes of a quarter of it; from a slow source as far as workers need it,
/// while the next result is not there.
void Stream::refill(const platform::Deadline& deadline) {
  const std::size_t used = chunks_ - taken_;
  std::size_t room = window_ - std::min(window_, used);
  const bool enough = !ready_.empty() || chunks_ - ended_ >= kChunksPerWorker * pool_->size() / 2;
  if (source_ == nullptr || room == 0 || (room < (window_ + 3) / 4 && enough) ||
      (speed_.slow() && has_next())) {
    return;
  }
  fit_window();
  room = window_ - std::min(window_, used);
  speed_.begin();
  bool watched = false;
  const auto watch = [&] {
    if (!std::exchange(watched, true)) {
      pool_->watch(held_);
    }
  };
  if (speed_.fast()) {
    watch();
  }
  for (; room != 0 && source_ != nullptr; --room) {
    if (speed_.slow() && chunks_ - ended_ >= kSlowAhead * pool_->size()) {
      break;
    }
    ChunkPtr chunk = pull_chunk();
    const SourceSpeed::Advice advice = speed_.pulled(held_.looked());
    if (chunk == nullptr) {
      break;
    }
    held_.put(std::move(chunk));
    ++chunks_;
    if (advice == SourceSpeed::Advice::hold) {
      watch();  // it may have become fast with this pull
      if (held_.size() == HeldChunks::kMost) {
        break;
      }
      continue;
    }
    watched = false;
    if (!hand_over() || (advice == SourceSpeed::Advice::look && look(deadline))) {
      break;
    }
  }
  hand_over();
}

/// False when the pool takes no more.
bool Stream::hand_over() {
  try {
    pool_->hand_over(held_);
    return true;
  } catch (...) {
    source_.reset();
    source_failure_ = std::current_exception();
    chunks_ -= pool_->drop(held_);
    return false;
  }
}

/// Whether the reader is to leave the source alone: the next result is there, perhaps after a
/// little wait, or it is asked for no longer.
bool Stream::look(const platform::Deadline& deadline) {
  std::chrono::nanoseconds wait(0);
  if (speed_.slow()) {
    wait = speed_.wait_for_results();
    if (const Timeout left = deadline.left()) {
      wait = std::min<std::chrono::nanoseconds>(wait, *left);
    }
  }
  const platform::Deadline until(wait);
  while (!has_next()) {
    std::vector<ChunkPtr> ended = await(until);
    if (ended.empty()) {
      break;
    }
    arrive(std::move(ended));
  }
  if (wait != std::chrono::nanoseconds(0)) {
    speed_.waited(has_next());
  }
  return has_next() || (speed_.slow() && deadline.passed());
}

/// Makes the window so large that to fill it costs little of the time in which it is read.
void Stream::fit_window() {
  if (least_window_ == most_window_ || taken_ - taken_then_ < window_ / 4) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  const auto whole = (now - filled_) / static_cast<std::int64_t>(taken_ - taken_then_) *
                     static_cast<std::int64_t>(window_);
  if (whole < kFastWindow) {
    window_ = std::min(2 * window_, most_window_);
  } else if (whole > kSlowWindow) {
    window_ = std::max(window_ / 2, least_window_);
  }
  filled_ = now;
  taken_then_ = taken_;
}

/// The next chunk; null when there are no more elements.
Stream::ChunkPtr Stream::pull_chunk() {
  TaskBuilder items;
  std::size_t count = 0;
  try {
    source_->pull(items, chunksize_, count);
  } catch (...) {
    source_failure_ = std::current_exception();
  }
  if (count < chunksize_) {
    source_.reset();
  }
  if (count == 0) {
    return nullptr;
  }
  ChunkPtr chunk;
  if (spare_.empty()) {
    chunk = std::make_shared<StreamChunk>();
  } else {
    chunk = std::move(spare_.back());
    spare_.pop_back();
  }
  chunk->first = pulled_;
  chunk->count = count;
  chunk->left = count;
  chunk->items.take(items);
  pulled_ += count;
  return chunk;
}

/// Goes on to the next chunk that is to be read. False when it has not ended.
bool Stream::take_chunk() {
  if (!has_next()) {
    return false;
  }
  chunk_ = std::move(ready_.front());
  ready_.pop_front();
  ++taken_;
  at_ = chunk_->first;
  piece_ = 0;
  failed_ = 0;
  left_in_piece_ = 0;
  const auto sort = [](auto& ended) {
    if (ended.size() > 1) {
      std::sort(ended.begin(), ended.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
    }
  };
  sort(chunk_->results);
  sort(chunk_->failures);
  return true;
}

void Stream::arrive(std::vector<ChunkPtr> chunks) {
  ended_ += chunks.size();
  for (ChunkPtr& chunk : chunks) {
    if (!settings_.ordered) {
      ready_.push_back(std::move(chunk));
      continue;
    }
    // All chunks but the last are of one size.
    const std::size_t place = chunk->first / chunksize_ - taken_;
    if (ready_.size() <= place) {
      ready_.resize(place + 1);
    }
    ready_[place] = std::move(chunk);
  }
}

Decoder* Stream::next_of_chunk() {
  const std::size_t index = at_++;
  count_one();
  if (failed_ < chunk_->failures.size() && chunk_->failures[failed_].first == index) {
    chunk_->failures[failed_++].second.rethrow();
  }
  if (left_in_piece_ == 0) {
    const Results& piece = chunk_->results.at(piece_++);
    left_in_piece_ = piece.count;
    decoder_.emplace(piece.bytes());
    spoilt_ = nullptr;
  }
  --left_in_piece_;
  if (spoilt_ != nullptr) {
    std::rethrow_exception(spoilt_);
  }
  std::exception_ptr failure;
  try {
    if (decode<OutcomeKind>(*decoder_) == OutcomeKind::result) {
      return &*decoder_;
    }
    const auto origin = decode<std::uint32_t>(*decoder_);
    const bool on_threads = pool_->on_threads();
    const int pid = on_threads ? platform::process_id() : static_cast<int>(origin);
    failure = decode_exception(*decoder_, {index, pid});
    if (failure == nullptr) {
      throw DecodeError(
          "expected the result of a task or its exception and found neither; the bytes are "
          "damaged");
    }
    if (const Failure thrown = pool::thrown_of(chunk_->results[piece_ - 1].as_thrown, origin)) {
      failure = thrown.get();
    }
  } catch (...) {
    failure = spoilt_ = std::current_exception();
  }
  std::rethrow_exception(failure);
}

void Stream::spoil(std::exception_ptr cause) { spoilt_ = std::move(cause); }

void Stream::count_one() {
  ++read_;
  if (settings_.job.progress) {
    settings_.job.progress(read_, settings_.total.value_or(pulled_));
  }
}

StreamPtr open_stream(const PoolPtr& pool, TaskBuilder& call, std::unique_ptr<StreamSource> source,
                      StreamSettings settings) {
  check_submission(pool, call);
  check_timeout(settings.job.timeout);
  return std::make_shared<Stream>(pool, call, std::move(source), std::move(settings));
}

namespace {

Stream& named(const StreamPtr& stream) {
  if (stream == nullptr) {
    throw ProcessError(
        "this ResultRange was moved from and names no results; use the one it was moved to");
  }
  return *stream;
}

}  // namespace

Decoder* next_result(const StreamPtr& stream, Timeout timeout) {
  return named(stream).next(timeout);
}

void spoil_results(const StreamPtr& stream, std::exception_ptr cause) {
  named(stream).spoil(std::move(cause));
}

void throw_stop_iteration() {
  throw StopIteration("the next result was asked for after the last one; next() ends by this");
}

void end_stream(StreamPtr& stream) noexcept { stream.reset(); }

}  // namespace procession::detail
