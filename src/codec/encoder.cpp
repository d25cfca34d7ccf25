#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include "procession/codec.hpp"
#include "procession/error.hpp"

namespace procession {
namespace {

constexpr std::size_t kSmallest = 256;
constexpr std::size_t kLargest = std::numeric_limits<std::ptrdiff_t>::max();

}  // namespace

void Encoder::attach(std::uint64_t /*block*/) {
  throw ProcessError(
      "asked to encode a handle (a Queue, Lock, Value, …) into bytes of this process alone; a "
      "handle "
      "can be sent to processes of its tree only: as an argument of a process or a task, as a "
      "result, or through a queue or a pipe");
}

std::optional<std::size_t> Encoder::pass_descriptor(int /*descriptor*/) { return std::nullopt; }

BufferEncoder::~BufferEncoder() { std::free(begin_); }

void BufferEncoder::reserve(std::size_t size) {
  const std::size_t capacity = static_cast<std::size_t>(end_ - begin_);
  if (size <= capacity) {
    return;
  }
  if (size > kLargest) {
    throw std::bad_alloc();
  }
  const std::size_t used = this->size();
  // realloc rather than a vector: no new byte is cleared first, and large blocks move by remapping.
  auto* const memory = static_cast<std::byte*>(std::realloc(begin_, size));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  begin_ = memory;
  cursor_ = memory + used;
  end_ = memory + size;
}

void BufferEncoder::grow(std::size_t at_least) {
  const std::size_t used = size();
  if (at_least > kLargest - used) {
    throw std::bad_alloc();
  }
  const std::size_t capacity = static_cast<std::size_t>(end_ - begin_);
  const std::size_t doubled = std::max(kSmallest, std::min(capacity, kLargest / 2) * 2);
  reserve(std::max(used + at_least, doubled));
}

std::vector<std::byte> BufferEncoder::take() {
  std::vector<std::byte> taken(begin_, cursor_);
  clear();
  return taken;
}

namespace detail {

void throw_encoding_too_deep() {
  throw std::invalid_argument(
      "cannot encode a value whose parts are nested more than " + std::to_string(kMaxNesting) +
      " levels deep (containers, pointers, optionals and variants inside one another); send it in "
      "a flatter shape, "
      "such as a vector of nodes that name each other by index");
}

void throw_valueless(std::string_view type) {
  throw std::invalid_argument("cannot encode a " + std::string(type) +
                              " that is valueless_by_exception; assign it a value first");
}

void throw_null_text() {
  throw std::invalid_argument(
      "asked to send a `const char*` as text, found a null pointer; send an empty string or a "
      "std::optional<std::string>");
}

}  // namespace detail
}  // namespace procession
