#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "platform/deadline.hpp"
#include "pool/held_chunks.hpp"
#include "pool/job.hpp"
#include "pool/source_speed.hpp"
#include "procession/detail/stream_core.hpp"

namespace procession::detail {

/// The reader's side of a job whose elements come and go: pulls them from their source, a window of
/// chunks ahead, and hands out what became of them. For one thread at a time.
class Stream {
 public:
  Stream(const PoolPtr& pool, TaskBuilder& call, std::unique_ptr<StreamSource> source,
         StreamSettings settings);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  Decoder* next(Timeout timeout);
  void spoil(std::exception_ptr cause);

 private:
  using ChunkPtr = std::shared_ptr<StreamChunk>;

  std::vector<ChunkPtr> await(const platform::Deadline& deadline);
  Decoder* next_of_failed();
  void let_go();
  void refill(const platform::Deadline& deadline);
  bool hand_over();
  bool look(const platform::Deadline& deadline);
  [[nodiscard]] bool has_next() const { return !ready_.empty() && ready_.front() != nullptr; }
  void fit_window();
  ChunkPtr pull_chunk();
  bool take_chunk();
  void arrive(std::vector<ChunkPtr> chunks);
  Decoder* next_of_chunk();
  void count_one();

  const PoolPtr pool_;
  const StreamSettings settings_;
  const std::size_t chunksize_;
  std::size_t window_;                            ///< chunks that are under way or not yet read
  const std::size_t least_window_;                ///< it grows from there
  const std::size_t most_window_;                 ///< as far as that
  std::chrono::steady_clock::time_point filled_;  ///< when the window was, last
  std::size_t taken_then_ = 0;                    ///< chunks that had been read by then
  std::unique_ptr<StreamSource> source_;          ///< null: it has no more
  SourceSpeed speed_;
  std::exception_ptr source_failure_;  ///< what it ended with
  std::exception_ptr rest_failure_;    ///< of all that has not ended, once the pool cannot run it
  const JobPtr job_;
  HeldChunks held_;
  std::size_t pulled_ = 0;  ///< elements
  std::size_t read_ = 0;    ///< elements
  std::size_t chunks_ = 0;  ///< that the pool has been given or will be
  std::size_t ended_ = 0;   ///< of these, how many have ended
  std::size_t taken_ = 0;   ///< of these, how many were read or are being read

  /// Chunks that have ended, the next one first; in an ordered stream with gaps for those that have
  /// not.
  std::deque<ChunkPtr> ready_;

  // The chunk that is being read.
  ChunkPtr chunk_;
  std::vector<ChunkPtr> spare_;  ///< that were read
  std::size_t piece_ = 0;        ///< the next one of its results
  std::size_t failed_ = 0;       ///< the next one of its failures
  std::size_t left_in_piece_ = 0;
  std::size_t at_ = 0;  ///< index of the next element
  std::optional<Decoder> decoder_;
  std::exception_ptr spoilt_;  ///< why the rest of the piece cannot be read
};

}  // namespace procession::detail
