#include "pool/job.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "pool/core.hpp"

namespace procession::detail {

void Chunk::disown() noexcept {
  static_cast<void>(items.block.release());
  for (Results& one : results) {
    static_cast<void>(one.block.release());
  }
}

Job::~Job() {
  if (pool_->disowned()) {
    // The blocks are the parent's, who has its own copy of this object to give them back.
    static_cast<void>(call_.block.release());
    for (const auto* const all : {&chunks_, &ended_}) {
      for (const auto& chunk : *all) {
        chunk->disown();
      }
    }
    for (Results& results : results_) {
      static_cast<void>(results.block.release());
    }
  }
}

void Job::seal_call() {
  call_.into_heap();
  // Of large captures the beginning will do.
  constexpr std::size_t kMost = 128;
  const auto bytes = call_.bytes().first(std::min(call_.size, kMost));
  pace_key_ =
      std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Chunk& Job::add_chunk(std::size_t first, std::size_t count) {
  chunks_.push_back(std::make_shared<Chunk>());
  Chunk& chunk = *chunks_.back();
  chunk.first = first;
  chunk.count = count;
  chunk.left = count;
  return chunk;
}

Chunk& Job::adopt(std::shared_ptr<Chunk> chunk) {
  chunk->place = chunks_.size();
  left_ += chunk->count;
  chunks_.push_back(std::move(chunk));
  return *chunks_.back();
}

std::vector<std::shared_ptr<Chunk>> Job::take_ended() { return std::exchange(ended_, {}); }

void Job::end_elements(Chunk& chunk, std::size_t count) {
  if (count == 0) {
    return;
  }
  chunk.left -= count;
  left_ -= count;
  if (chunk.left == 0) {
    chunk.items.block = {};
    if (streamed_) {
      const std::size_t place = chunk.place;
      ended_.push_back(std::move(chunks_[place]));
      if (place + 1 != chunks_.size()) {
        chunks_[place] = std::move(chunks_.back());
        chunks_[place]->place = place;
      }
      chunks_.pop_back();
    }
  }
  if (left_ == 0) {
    call_.block = {};
    note_end();
  }
}

void Job::succeed(Chunk& chunk, Results results) {
  const std::size_t count = results.count;
  if (count != 0) {
    (streamed_ ? chunk.results : results_).push_back(std::move(results));
    end_elements(chunk, count);
  }
}

void Job::fail(Chunk& chunk, std::size_t index, std::exception_ptr cause) {
  note_failure(chunk, index, std::move(cause));
  end_elements(chunk, 1);
}

void Job::note_failure(Chunk& chunk, std::size_t index, std::exception_ptr cause) {
  if (streamed_) {
    if (chunk.left != 0) {
      chunk.failures.emplace_back(index, std::move(cause));
    }
  } else if (failure_ == nullptr || index < failed_index_) {
    failure_ = std::move(cause);
    failed_index_ = index;
  }
}

void Job::fail_rest(const std::exception_ptr& cause) {
  if (ended()) {
    return;
  }
  if (failure_ == nullptr) {
    failure_ = cause;
  }
  left_ = 0;  // what workers may still read goes with the job
  note_end();
}

void Job::cancel(const std::exception_ptr& cause) {
  failure_ = nullptr;
  fail_rest(cause);
}

void Job::note_end() {
  if (!hooks_.empty()) {
    pool_->call_soon(std::exchange(hooks_, {}));
  }
}

std::vector<Piece> Job::pieces() {
  std::sort(results_.begin(), results_.end(),
            [](const Results& a, const Results& b) { return a.first < b.first; });
  std::vector<Piece> pieces;
  pieces.reserve(results_.size());
  for (const Results& one : results_) {
    pieces.push_back({one.first, one.count, one.bytes()});
  }
  return pieces;
}

}  // namespace procession::detail
