// A message on its way into a connection, and one that came out.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "channel/transport.hpp"
#include "heap/heap.hpp"
#include "procession/detail/connection_core.hpp"
#include "procession/detail/copy_bytes.hpp"
#include "procession/error.hpp"

namespace procession::detail {

MessageBuilder::MessageBuilder(const TransportPtr& transport)
    : PayloadBuilder(inline_, 0),
      transport_(transport.get()),
      untrusted_(transport != nullptr && transport->untrusted()) {}

MessageBuilder::~MessageBuilder() { std::free(memory_); }

void MessageBuilder::attach(std::uint64_t block) {
  if (untrusted_) {
    throw ProcessError(
        "asked to send a handle (a Queue, Lock, Value, Connection, …) to another program; a handle "
        "names what the processes of its own tree share. Send its contents, or let the other "
        "program use it through a Manager");
  }
  PayloadBuilder::attach(block);
}

void MessageBuilder::name_code() {
  if (untrusted_) {
    throw ProcessError(
        "asked to send a function to another program; no code address ever crosses a network. Send "
        "the name of what is to be done and let the other program choose the function");
  }
}

void MessageBuilder::grow(std::size_t at_least) {
  const std::size_t used = size();
  if (!untrusted_) {
    if (transport_ != nullptr && begin_ == inline_) transport_->await_room(used + at_least);
    return PayloadBuilder::grow(at_least);
  }
  const std::size_t larger = std::max(used + at_least, 2 * used);
  // realloc: large blocks move by remapping.
  void* const memory = larger < at_least ? nullptr : std::realloc(memory_, larger);
  if (memory == nullptr) throw std::bad_alloc();
  if (memory_ == nullptr) std::memcpy(memory, begin_, used);
  memory_ = memory;
  begin_ = static_cast<std::byte*>(memory);
  cursor_ = begin_ + used;
  end_ = begin_ + larger;
}

Incoming::~Incoming() { heap::drop_own(hold_id_); }

void Incoming::describe(std::uint64_t fingerprint, std::string_view type) noexcept {
  fingerprint_ = fingerprint;
  type_size_ = std::min(type.size(), sizeof type_);
  if (type_size_ != 0) std::memcpy(type_, type.data(), type_size_);
}

void Incoming::fill(std::span<const std::byte> bytes) noexcept {
  std::memcpy(inline_, bytes.data(), bytes.size());
  begin_ = inline_;
  size_ = bytes.size();
}

void Incoming::own(std::uint64_t hold_id, std::size_t size) noexcept {
  heap::drop_own(std::exchange(hold_id_, hold_id));
  begin_ = heap::at(heap::target(hold_id));
  size_ = size;
}

void Incoming::keep(std::vector<std::byte> bytes) noexcept {
  kept_ = std::move(bytes);
  view(kept_);
}

void Incoming::view(std::span<const std::byte> bytes) noexcept {
  begin_ = bytes.data();
  size_ = bytes.size();
}

void Incoming::skip(std::size_t bytes) noexcept {
  begin_ += bytes;
  size_ -= bytes;
}

std::vector<std::byte> Incoming::take() {
  if (begin_ == kept_.data() && size_ == kept_.size()) return std::move(kept_);
  std::vector<std::byte> bytes;
  assign_bytes(bytes, begin_, size_);
  return bytes;
}

}  // namespace procession::detail
