#include "heap/mapping.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "heap/allocator.hpp"
#include "heap/holds.hpp"
#include "heap/reserve.hpp"
#include "heap/testing.hpp"
#include "platform/liveness.hpp"
#include "platform/memory.hpp"
#include "procession/error.hpp"

namespace procession::heap {
namespace {

static_assert(kRootBytes == kRootPayload);

constinit std::atomic<std::uint64_t> asked_reserve{0};

/// A heap as one process has it mapped.
struct Mapping {
  platform::Descriptor file;
  std::byte* base = nullptr;
  std::uint64_t reserve = 0;

  ~Mapping() {
    if (base != nullptr) platform::unmap(base, reserve);
  }
};
using Owned = std::unique_ptr<Mapping>;

/// The one that this process uses, to its end: threads may still run when `main` has returned.
constinit std::atomic<Mapping*> current{nullptr};

/// The heap's descriptor gets a number that no child's standard descriptors or bootstrap need: a
/// duplicate made and closed later, to keep it out of somebody's way, would give up the record
/// locks (see `mark_alive`).
constexpr int kLowestNumber = 16;

/// Lets the fast paths see `current`. May be done twice, and by several threads at once.
void publish() noexcept {
  const Mapping& mapping = *current.load();
  mapped_descriptor.store(mapping.file.get());
  internal::reserve.store(mapping.reserve);
  internal::base.store(mapping.base, std::memory_order_release);
}

Owned map_new() {
  const std::uint64_t page = platform::page_size();
  const std::uint64_t wanted = wanted_reserve(asked_reserve.load());
  const std::uint64_t least = std::max(std::min(kLeastReserve, wanted), kTinyReserve);
  for (std::uint64_t size = wanted; size >= least; size = size / 2 / page * page) {
    auto mapping = std::make_unique<Mapping>();
    mapping->reserve = size;
    mapping->file = platform::duplicate(platform::create_memory_file("procession-heap", size).get(),
                                        kLowestNumber);
    mapping->base = platform::map_shared(mapping->file.get(), size);
    if (mapping->base != nullptr) return mapping;
  }
  throw OutOfMemory("cannot map a shared heap: " + std::to_string(wanted) +
                    " bytes were tried, then ever less; the address space of this process "
                    "(RLIMIT_AS, 'ulimit -v') or its size of files (RLIMIT_FSIZE, 'ulimit -f') "
                    "leaves no room: raise the limit");
}

/// Makes a zeroed file a heap, with the record of this process in it.
void initialise(const Mapping& mapping) {
  // Enough for what is made here, so that the allocator need not ask for more memory.
  constexpr std::uint64_t kCommitted = kTinyReserve;
  if (!platform::commit(mapping.file.get(), mapping.base, 0, kCommitted)) {
    throw OutOfMemory("cannot create the shared heap: the system has no memory left, not even " +
                      std::to_string(kCommitted) + " bytes");
  }
  Header& heap = *reinterpret_cast<Header*>(mapping.base);
  heap.reserve = mapping.reserve;
  heap.first = kFirstBlock;
  heap.frontier = kFirstBlock - sizeof(BlockHeader);
  heap.committed = kCommitted;
  heap.root.state = state_word(State::used, kRootPayload / kUnit, false);
  heap.mutex.init();
  Transaction change(heap);
  const Taken record = take(change, kRecordBytes / kUnit);
  make_used(change, record.block, record.units, record.sparse, kRoot);
  change.commit();
  heap.record = record.block;
  heap.magic = kMagic;
}

[[noreturn]] void refuse(int fd, const std::string& found) {
  throw ProcessError("descriptor " + std::to_string(fd) +
                     " was to be the shared heap of this process tree, but " + found);
}

}  // namespace

void set_reserve(std::uint64_t bytes) {
  if (exists()) {
    throw ProcessError("the size of the shared heap was to be set to " + std::to_string(bytes) +
                       " bytes, but the heap exists already, with " +
                       std::to_string(internal::reserve.load()) +
                       "; set it before the first process, pool, queue or other shared object");
  }
  asked_reserve.store(parse_reserve(std::to_string(bytes), "set_reserve"));
}

void ensure() {
  if (exists()) return;
  if (current.load() == nullptr) {
    // Several threads may come here at once, and none may wait for another, whom a `fork` might
    // lose: each makes a heap, the first to say so wins, and the others throw theirs away.
    Owned mapping = map_new();
    initialise(*mapping);
    platform::advise_huge_pages(mapping->base, mapping->reserve);
    Mapping* none = nullptr;
    if (current.compare_exchange_strong(none, mapping.get())) mapping.release();
  }
  Offset none = 0;
  const Offset record = reinterpret_cast<const Header*>(current.load()->base)->record;
  const bool first = own_record.compare_exchange_strong(none, record);
  publish();
  if (first) mark_alive(record);
}

void adopt(int fd) {
  if (exists()) {
    refuse(fd,
           "this process has one already: something shared, such as a Queue or a Lock, was made "
           "before init(), as static objects are; make it in main(), after init()");
  }
  const std::uint64_t size = platform::file_size(fd);
  if (size < kTinyReserve) {
    refuse(fd, "it is closed or something else: was it closed before main()?");
  }
  auto mapping = std::make_unique<Mapping>();
  mapping->reserve = size;
  mapping->base = platform::map_shared(fd, size);
  if (mapping->base == nullptr) {
    refuse(fd, "this process has no room to map its " + std::to_string(size) +
                   " bytes; raise RLIMIT_AS ('ulimit -v'), or make the heap smaller with the "
                   "environment variable PROCESSION_HEAP");
  }
  const Header& heap = *reinterpret_cast<const Header*>(mapping->base);
  if (heap.magic >> 8 != kMagic >> 8 || heap.reserve != size) refuse(fd, "it is no such heap");
  if (heap.magic != kMagic) {
    refuse(fd, "it has layout " + std::to_string(heap.magic & 0xFF) + ", and this program " +
                   std::to_string(kMagic & 0xFF) +
                   ": all processes of a tree need the same version of the library");
  }
  mapping->file = platform::duplicate(fd, kLowestNumber);
  platform::Descriptor(fd).reset();
  platform::advise_huge_pages(mapping->base, mapping->reserve);
  current.store(mapping.release());
  publish();
}

void testing::forget() noexcept {
  if (Mapping* const mapping = current.load()) {
    platform::unmap(std::exchange(mapping->base, nullptr), mapping->reserve);
  }
  internal::base.store(nullptr);
  internal::reserve.store(0);
  own_record.store(0);
  mapped_descriptor.store(-1);
  current.store(nullptr);
  asked_reserve.store(0);
}

bool exists() noexcept { return internal::base.load(std::memory_order_acquire) != nullptr; }

int descriptor() noexcept { return mapped_descriptor.load(); }

Offset self() noexcept { return own_record.load(std::memory_order_relaxed); }

void set_self(Offset record) noexcept {
  own_record.store(record);
  ++internal::selves;
}

void mark_alive(Offset record) {
  if (!platform::lock_byte(descriptor(), record)) {
    throw ProcessError("another process has marked the record at " + std::to_string(record) +
                       " as its own; a child must mark the record that was made for it");
  }
}

bool alive(Offset record) {
  return record == self() || platform::byte_is_locked(descriptor(), record);
}

}  // namespace procession::heap
