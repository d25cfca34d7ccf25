#include "procession/shared_memory.hpp"

#include <utility>

#include "heap/heap.hpp"
#include "platform/memory.hpp"
#include "process/names.hpp"
#include "procession/detail/handle.hpp"
#include "procession/error.hpp"

namespace procession {

namespace detail {

/// One mapping of a named block, shared by the copies of a handle.
class NamedBlock {
 public:
  explicit NamedBlock(process::NamedMemory memory)
      : name_(std::move(memory.name)), size_(platform::file_size(memory.file.get())) {
    if (memory.entry) {
      entry_ = Handle::own(memory.entry.release());
    }
    base_ = platform::map_shared(memory.file.get(), size_);
    if (base_ == nullptr) {
      throw OutOfMemory("cannot map the " + std::to_string(size_) +
                        " bytes of the shared memory '" + name_ +
                        "': there is no room in this process's address space (ulimit -v)");
    }
  }
  NamedBlock(const NamedBlock&) = delete;
  NamedBlock& operator=(const NamedBlock&) = delete;
  ~NamedBlock() {
    if (base_ != nullptr) {
      platform::unmap(base_, size_);
    }
    if (entry_.address() != nullptr) {
      entry_ = {};
      process::sweep_names();
    }
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {base_, size_}; }
  /// Names nothing for a block that others made.
  [[nodiscard]] const Handle& entry() const { return entry_; }

 private:
  std::string name_;
  std::size_t size_;
  Handle entry_;
  std::byte* base_ = nullptr;
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

void SharedMemory::unlink() const {
  process::unlink_named(heap::offset_of(block().entry().address()), name());
}

void SharedMemory::write(Encoder& encoder) const {
  const bool ours = block().entry().address() != nullptr;
  procession::encode(encoder, ours);
  if (ours) {
    block().entry().encode(encoder, "a SharedMemory");
  }
  procession::encode(encoder, name());
}

void SharedMemory::read(Decoder& decoder) {
  detail::Handle held;  // from the message's hold to this process's own
  if (procession::decode<bool>(decoder)) {
    held = detail::Handle::decode(decoder, process::kNameHeader, "a SharedMemory");
  }
  *this = attach(procession::decode<std::string>(decoder));
}

}  // namespace procession
