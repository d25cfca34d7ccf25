#include "procession/shared_memory.hpp"

#include <algorithm>
#include <utility>

#include "heap/heap.hpp"
#include "platform/fenced_mapping.hpp"
#include "platform/memory.hpp"
#include "process/names.hpp"
#include "process/record.hpp"
#include "procession/detail/handle.hpp"
#include "procession/error.hpp"

namespace procession {

namespace detail {

/// One mapping of a named block, shared by the copies of a handle.
class NamedBlock {
 public:
  explicit NamedBlock(process::NamedMemory memory)
      : name_(std::move(memory.name)),
        identity_(memory.identity),
        file_(std::move(memory.file)),
        size_(platform::file_size(file_.get())) {
    if (memory.entry) {
      entry_ = Handle::own(memory.entry.release());
    }
    if (size_ == 0) throw_empty();
    memory_ = platform::FencedMapping(file_.get(), 0, size_);
    if (!memory_) {
      throw OutOfMemory("cannot map the " + std::to_string(size_) +
                        " bytes of the shared memory '" + name_ +
                        "': there is no room in this process's address space (ulimit -v)");
    }
  }
  NamedBlock(const NamedBlock&) = delete;
  NamedBlock& operator=(const NamedBlock&) = delete;
  ~NamedBlock() {
    memory_ = {};
    if (entry_.address() != nullptr) {
      entry_ = {};
      process::tidy();
    }
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t identity() const { return identity_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.first(), size_}; }
  /// Those that are there: somebody may have made the file smaller.
  [[nodiscard]] std::span<std::byte> bytes_now() const {
    return bytes().first(std::min<std::size_t>(size_, platform::file_size(file_.get())));
  }
  /// Names nothing for a block that others made.
  [[nodiscard]] const Handle& entry() const { return entry_; }

 private:
  [[noreturn]] void throw_empty() const {
    throw ProcessError(
        "asked to attach to the shared memory '" + name_ +
        "', found it empty: who makes it has not given it a size yet, as Python does a moment "
        "after "
        "it has the name, or was killed before that; try again in a moment, and if it stays empty, "
        "remove /dev/shm/" +
        name_);
  }

  std::string name_;
  std::uint64_t identity_;
  platform::Descriptor file_;
  std::size_t size_;
  Handle entry_;
  platform::FencedMapping memory_;
};

}  // namespace detail

SharedMemory SharedMemory::create(std::size_t size, const std::optional<std::string>& name) {
  return SharedMemory(std::make_shared<detail::NamedBlock>(process::create_named(size, name)));
}

SharedMemory SharedMemory::attach(const std::string& name, std::size_t at_least) {
  SharedMemory memory(std::make_shared<detail::NamedBlock>(process::open_named(name)));
  if (memory.size() < at_least) {
    throw ProcessError("asked to attach to the shared memory '" + name + "' and to find " +
                       std::to_string(at_least) + " bytes, found " + std::to_string(memory.size()) +
                       ": it was made for something else");
  }
  return memory;
}

detail::NamedBlock& SharedMemory::block() const {
  if (block_ == nullptr) {
    throw ProcessError(
        "asked to use a SharedMemory that was closed or moved from; attach to it anew");
  }
  return *block_;
}

std::span<std::byte> SharedMemory::buf() const { return block().bytes(); }
const std::string& SharedMemory::name() const { return block().name(); }
std::size_t SharedMemory::size() const { return block().bytes().size(); }

std::span<std::byte> SharedMemory::bytes_now() const { return block().bytes_now(); }

void SharedMemory::unlink() const {
  process::unlink_named(heap::offset_of(block().entry().address()), name(), block().identity());
}

void SharedMemory::write(Encoder& encoder) const {
  const bool ours = block().entry().address() != nullptr;
  procession::encode(encoder, ours);
  if (ours) {
    block().entry().encode(encoder, "a SharedMemory");
  }
  procession::encode(encoder, name());
  procession::encode(encoder, block().identity());
}

void SharedMemory::read(Decoder& decoder) {
  detail::Handle held;  // from the message's hold to this process's own
  if (procession::decode<bool>(decoder)) {
    held = detail::Handle::decode(decoder, process::kNameHeader, "a SharedMemory");
  }
  SharedMemory found = attach(procession::decode<std::string>(decoder));
  if (procession::decode<std::uint64_t>(decoder) != found.block().identity()) {
    throw ProcessError("asked to receive the shared memory '" + found.name() +
                       "', but another block has that name by now: the one that was sent has lost "
                       "it; keep a handle of it until it has been received, and do not unlink it");
  }
  *this = std::move(found);
}

}  // namespace procession
