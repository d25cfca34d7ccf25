#include "pool/job.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/thread_end.hpp"
#include "pool/core.hpp"

namespace procession::detail {

namespace {

/// Memory of calls that have ended, for the next ones of this thread.
class UsedCalls {
 public:
  void* take() noexcept { return kept_ != 0 ? all_[--kept_] : nullptr; }
  bool keep(void* memory) noexcept {
    if (kept_ == kMost || ended_) {
      return false;
    }
    if (!announced_) {
      announced_ = true;
      platform::at_thread_end([](void* calls) noexcept { static_cast<UsedCalls*>(calls)->end(); },
                              this);
    }
    all_[kept_++] = memory;
    return true;
  }

 private:
  static constexpr std::size_t kMost = pool::kSlots;

  void end() noexcept {
    while (void* const memory = take()) {
      ::operator delete(memory);
    }
    ended_ = true;  // what ends later in this thread may bring more
  }

  std::size_t kept_ = 0;
  bool announced_ = false;
  bool ended_ = false;
  void* all_[kMost] = {};
};

constinit thread_local UsedCalls used_calls;

}  // namespace

void* Job::Call::operator new(std::size_t size) {
  void* const memory = used_calls.take();
  return memory != nullptr ? memory : ::operator new(size);
}

void Job::Call::operator delete(void* memory) noexcept {
  if (!used_calls.keep(memory)) {
    ::operator delete(memory);
  }
}

Job::Job(PoolPtr pool, TaskBuilder& task, const JobSettings& settings)
    : pool_(std::move(pool)), left_(1), call_(new Call{{settings.retries, settings.timeout}, {}}) {
  call_->chunk.count = 1;
  call_->chunk.left = 1;
  call_->chunk.items.take(task);
}

Job::Job(PoolPtr pool, std::size_t total, JobSettings settings)
    : pool_(std::move(pool)), left_(total), many_(make_many(total, std::move(settings), false)) {}

Job::Job(PoolPtr pool, JobSettings settings)
    : pool_(std::move(pool)), left_(1), many_(make_many(1, std::move(settings), true)) {}

std::unique_ptr<Job::Many> Job::make_many(std::size_t total, JobSettings settings, bool streamed) {
  const Work work{settings.retries, settings.timeout};
  return std::make_unique<Many>(work, total, std::move(settings), streamed);
}

namespace {

void disown(heap::Block& block) noexcept { static_cast<void>(block.release()); }

}  // namespace

void StreamChunk::disown() noexcept {
  detail::disown(items.block);
  for (Results& one : results) {
    detail::disown(one.block);
  }
  for (const auto& [index, failure] : failures) {
    failure.disown();
  }
}

Job::~Job() {
  // What the user gave may do anything as it is destroyed, and the last to let go of a job may have
  // the mutex of its pool.
  if (many_ != nullptr && many_->settings.progress) {
    platform::discard(many_->settings.progress);
  }
  if (std::vector<std::function<void()>>* const hooks = hooks_left(); hooks != nullptr) {
    platform::discard(*hooks);
  }
  if (!pool_->disowned()) {
    return;
  }
  failure_.disown();
  // The blocks are the parent's, who has its own copy of this object to give them back.
  disown(block_);
  if (call_ != nullptr) {
    disown(call_->chunk.items.block);
  }
  if (many_ != nullptr) {
    disown(many_->call.block);
    for (const auto& chunk : many_->chunks) {
      disown(chunk->items.block);
    }
    for (const auto* const all : {&many_->open, &many_->ended}) {
      for (const auto& chunk : *all) {
        chunk->disown();
      }
    }
    for (Results& results : many_->results) {
      disown(results.block);
    }
  }
}

void Job::take_call(TaskBuilder& builder) {
  JobBytes& call = many_->call;
  many_->has_handles = builder.has_attachments();
  call.take(builder);
  call.into_heap();
  // Of large captures the beginning will do.
  constexpr std::size_t kMost = 128;
  const auto bytes = call.bytes().first(std::min(call.size, kMost));
  many_->sizer_key =
      std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

MapChunk& Job::add_chunk(std::size_t first, std::size_t count) {
  many_->chunks.push_back(std::make_unique<MapChunk>());
  MapChunk& chunk = *many_->chunks.back();
  chunk.first = first;
  chunk.count = count;
  chunk.left = count;
  return chunk;
}

void Job::adopt(std::shared_ptr<StreamChunk>&& chunk) {
  StreamChunk& adopted = *chunk;
  adopted.place = many_->open.size();
  many_->open.push_back(std::move(chunk));
  set_left(left() + adopted.count);
}

std::vector<std::shared_ptr<StreamChunk>> Job::take_ended() {
  return std::exchange(many_->ended, {});
}

void Job::end_elements(Chunk& chunk, std::size_t count) {
  if (count == 0) {
    return;
  }
  chunk.left -= count;
  set_left(left() - count);
  if (chunk.left == 0) {
    end_chunk(chunk);
  }
  if (ended()) {
    if (is_map()) {
      many_->call.block = {};
    }
    note_end();
  }
}

void Job::end_chunk(Chunk& chunk) {
  chunk.items.block = {};
  if (streamed()) {
    auto& open = many_->open;
    const std::size_t place = static_cast<StreamChunk&>(chunk).place;
    many_->ended.push_back(std::move(open[place]));
    if (place + 1 != open.size()) {
      open[place] = std::move(open.back());
      open[place]->place = place;
    }
    open.pop_back();
  }
}

void Job::succeed(Chunk& chunk, Results results) {
  const std::size_t count = results.count;
  if (count == 0) {
    return;
  }
  if (streamed()) {
    static_cast<StreamChunk&>(chunk).results.push_back(std::move(results));
  } else if (is_map()) {
    many_->results.push_back(std::move(results));
  } else {
    block_ = std::move(results.block);
    size_ = results.size;
    std::memcpy(in_place_, results.in_place, pool::kInlineResult);
  }
  end_elements(chunk, count);
  if (!is_map()) {
    call_.reset();
  }
}

void Job::succeed(Chunk& only, const std::byte (&in_place)[pool::kInlineResult], std::size_t size) {
  size_ = size;
  std::memcpy(in_place_, in_place, pool::kInlineResult);
  end_elements(only, 1);
  call_.reset();
}

void Job::fail(Chunk& chunk, std::size_t index, Failure cause) {
  note_failure(chunk, index, std::move(cause));
  end_elements(chunk, 1);
}

void Job::note_failure(Chunk& chunk, std::size_t index, Failure cause) {
  if (streamed()) {
    if (chunk.left != 0) {
      static_cast<StreamChunk&>(chunk).failures.emplace_back(index, std::move(cause));
    }
  } else if (!is_map()) {
    failure_ = std::move(cause);
  } else if (!failure_ || index < many_->failed_index) {
    failure_ = std::move(cause);
    many_->failed_index = index;
  }
}

void Job::fail_rest(const Failure& cause) {
  if (ended()) {
    return;
  }
  if (!failure_) {
    failure_ = cause;
  }
  set_left(0);  // what workers may still read goes with the job
  note_end();
}

void Job::cancel(const Failure& cause) {
  failure_ = {};
  fail_rest(cause);
}

std::vector<std::function<void()>>* Job::hooks_left() noexcept {
  if (many_ == nullptr && call_ == nullptr) {
    return nullptr;
  }
  return has_hooks() ? &work().hooks : nullptr;
}

void Job::add_hook(std::function<void()> hook) const { work().hooks.push_back(std::move(hook)); }

void Job::note_end() {
  if (is_map() && many_->number != 0) {
    pool_->function_ended(many_->number);
  }
  if (has_hooks()) {
    pool_->call_soon(std::exchange(work().hooks, {}));
  }
}

std::vector<Piece> Job::pieces() {
  std::vector<Results>& results = many_->results;
  const auto before = [](const Results& a, const Results& b) { return a.first < b.first; };
  // Once: another thread may be reading the bytes of those that are in order already.
  if (!std::is_sorted(results.begin(), results.end(), before)) {
    std::sort(results.begin(), results.end(), before);
  }
  std::vector<Piece> pieces;
  pieces.reserve(results.size());
  for (const Results& one : results) {
    pieces.push_back({one.first, one.count, one.bytes()});
  }
  return pieces;
}

}  // namespace procession::detail
