#include "heap/mapping.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "heap/allocator.hpp"
#include "heap/elements.hpp"
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

/// What lies where in the file, in tenths of it, so that its size tells all. The marks begin the
/// third part, which is otherwise not accessible: they take a 128th of it.
struct Parts {
  std::uint64_t tenth = 0;

  /// For regions of `reserve` bytes, or of a little less.
  static Parts of_reserve(std::uint64_t reserve) {
    return {reserve / 4 / platform::page_size() * platform::page_size()};
  }
  static Parts of_file(std::uint64_t size) { return {size / 10}; }

  [[nodiscard]] std::uint64_t reserve() const { return 4 * tenth; }
  [[nodiscard]] std::uint64_t file() const { return 10 * tenth; }
  [[nodiscard]] Offset shadow() const { return 4 * tenth; }
  [[nodiscard]] Offset marks() const { return 5 * tenth; }
  [[nodiscard]] Offset end_of_marks() const {
    const std::uint64_t page = platform::page_size();
    // One more: the last block may have no payload.
    return marks() + (reserve() / kUnit / 8 + sizeof(Word) + page - 1) / page * page;
  }
  [[nodiscard]] Offset users() const { return 6 * tenth; }
  /// Bytes in front of the file and behind it that nothing else gets: an overrun of what lies there
  /// does not reach the heap, nor the other way round.
  [[nodiscard]] std::uint64_t margin() const {
    constexpr std::uint64_t kMost = std::uint64_t{64} << 20;
    return std::min(tenth, kMost);
  }
};

/// A heap as one process has it mapped. The users' region is mapped without access, and made
/// accessible as far as this process needs it: a write that runs away gets no further, and above
/// all does not fill what was never in use with memory.
struct Mapping {
  platform::Descriptor file;
  Parts parts;
  std::byte* base = nullptr;
  std::uint64_t accessible = 0;  // bytes of the users' region, at the least

  ~Mapping() { unmap(); }

  bool map(int descriptor) noexcept {
    const std::uint64_t margin = parts.margin();
    std::byte* const all = platform::reserve_addresses(parts.file() + 2 * margin);
    if (all == nullptr) return false;
    base = all + margin;
    return platform::map_shared_at(base, descriptor, 0, parts.end_of_marks(), true) &&
           platform::map_shared_at(base + parts.users(), descriptor, parts.users(), parts.reserve(),
                                   false);
  }
  void unmap() noexcept {
    if (base == nullptr) return;
    platform::unmap(std::exchange(base, nullptr) - parts.margin(),
                    parts.file() + 2 * parts.margin());
  }
  void advise_sparse() const noexcept {
    platform::advise_sparse(base, parts.end_of_marks());
    platform::advise_sparse(base + parts.users(), parts.reserve());
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
  mapped_identity = platform::file_identity(mapping.file.get()).value_or(platform::FileIdentity{});
  mapped_descriptor.store(mapping.file.get());
  internal::size.store(mapping.parts.file());
  internal::users.store(mapping.parts.users());
  internal::base.store(mapping.base, std::memory_order_release);
}

Owned map_new() {
  static_cast<void>(guard_from_environment());  // better now than with the first array
  const std::uint64_t page = platform::page_size();
  const std::uint64_t wanted = wanted_reserve(asked_reserve.load());
  if (wanted < kTinyReserve) {
    throw OutOfMemory(
        "cannot map a shared heap: the address space of this process (RLIMIT_AS, 'ulimit -v') or "
        "its size of files (RLIMIT_FSIZE, 'ulimit -f') leaves it " +
        std::to_string(wanted) + " bytes, and it needs " + std::to_string(kTinyReserve) +
        ": raise the limit");
  }
  const std::uint64_t least = std::max(std::min(kLeastReserve, wanted), kTinyReserve);
  for (std::uint64_t size = wanted; size >= least; size = size / 2 / page * page) {
    auto mapping = std::make_unique<Mapping>();
    mapping->parts = Parts::of_reserve(size);
    mapping->file = platform::duplicate(
        platform::create_memory_file("procession-heap", mapping->parts.file()).get(),
        kLowestNumber);
    if (mapping->map(mapping->file.get())) return mapping;
  }
  throw OutOfMemory("cannot map a shared heap: " + std::to_string(wanted) +
                    " bytes were tried, then ever less, down to " + std::to_string(least) +
                    "; the address space of this process (RLIMIT_AS, 'ulimit -v') leaves no room: "
                    "raise the limit");
}

/// Makes a zeroed file a heap, with the record of this process in it.
void initialise(const Mapping& mapping) {
  // Enough for what is made here, so that the allocator need not ask for more memory.
  constexpr std::uint64_t kCommitted = kTinyReserve;
  const Parts& parts = mapping.parts;
  if (!platform::commit(mapping.file.get(), mapping.base, 0, kCommitted) ||
      !platform::commit(mapping.file.get(), mapping.base, parts.marks(), platform::page_size())) {
    throw OutOfMemory("cannot create the shared heap: the system has no memory left, not even " +
                      std::to_string(kCommitted) + " bytes");
  }
  Header& heap = *reinterpret_cast<Header*>(mapping.base);
  heap.reserve = parts.reserve();
  heap.size = parts.file();
  heap.shadow = parts.shadow();
  heap.marks = parts.marks();
  heap.users = parts.users();
  RegionState& library = state_of(heap, Region::library);
  library.first = kFirstBlock;
  library.end = parts.reserve();
  library.frontier = kFirstBlock - sizeof(BlockHeader);
  library.committed = kCommitted;
  RegionState& users = state_of(heap, Region::users);
  users.first = users.frontier = users.committed = parts.users();
  users.end = parts.file();
  heap.root.state = state_word(State::used, kRootPayload / kUnit, false);
  heap.root.holds = 1;  // nobody's, so that it outlives all others
  heap.mutex.init();
  Transaction change(heap);
  const Taken record = take(change, Region::library, kRecordBytes / kUnit);
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
                       std::to_string(header().reserve) +
                       "; set it before the first process, pool, queue or other shared object");
  }
  asked_reserve.store(parse_reserve(std::to_string(bytes), "set_reserve"));
}

void ensure() {
  if (exists()) return;
  if (adopt_before_main != nullptr) {
    adopt_before_main();
    if (exists()) return;
  }
  if (current.load() == nullptr) {
    // Several threads may come here at once, and none may wait for another, whom a `fork` might
    // lose: each makes a heap, the first to say so wins, and the others throw theirs away.
    Owned mapping = map_new();
    initialise(*mapping);
    mapping->advise_sparse();
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
  const Parts parts = Parts::of_file(size);
  if (parts.reserve() < kTinyReserve) {
    refuse(fd, "it is closed or something else: was it closed before main()?");
  }
  auto mapping = std::make_unique<Mapping>();
  mapping->parts = parts;
  if (size != parts.file() || parts.tenth % platform::page_size() != 0) {
    refuse(fd, "it is no such heap");
  }
  if (!mapping->map(fd)) {
    refuse(fd, "this process has no room to map its " + std::to_string(size) +
                   " bytes; raise RLIMIT_AS ('ulimit -v'), or make the heap smaller with the "
                   "environment variable PROCESSION_HEAP");
  }
  const Header& heap = *reinterpret_cast<const Header*>(mapping->base);
  if (heap.magic >> 8 != kMagic >> 8 || heap.size != size) refuse(fd, "it is no such heap");
  if (heap.magic != kMagic) {
    refuse(fd, "it has layout " + std::to_string(heap.magic & 0xFF) + ", and this program " +
                   std::to_string(kMagic & 0xFF) +
                   ": all processes of a tree need the same version of the library");
  }
  mapping->file = platform::duplicate(fd, kLowestNumber);
  platform::Descriptor(fd).reset();
  mapping->advise_sparse();
  current.store(mapping.release());
  publish();
}

void testing::forget() noexcept {
  if (Mapping* const mapping = current.load()) {
    mapping->unmap();
  }
  internal::base.store(nullptr);
  internal::size.store(0);
  internal::users.store(~std::uint64_t{0});
  own_record.store(0);
  forked.store(false);
  mapped_descriptor.store(-1);
  current.store(nullptr);
  asked_reserve.store(0);
}

void internal::reach() noexcept {
  // Several threads may do this at once; each makes accessible what it needs itself.
  Mapping& mapping = *current.load();
  Header& heap = header();
  const std::atomic_ref accessible(mapping.accessible);
  const std::uint64_t seen = accessible.load(std::memory_order_acquire);
  const std::uint64_t there = load(state_of(heap, Region::users).committed) - heap.users;
  if (there <= seen) [[likely]]
    return;
  platform::allow_access(mapping.base + heap.users + seen, there - seen);
  for (std::uint64_t known = seen;
       known < there && !accessible.compare_exchange_weak(known, there);) {
  }
}

bool exists() noexcept { return internal::base.load(std::memory_order_acquire) != nullptr; }

int descriptor() {
  if (const auto file = mapped_file()) return *file;
  throw ProcessError(
      "asked for the descriptor of the shared heap, number " +
      std::to_string(mapped_descriptor.load()) +
      ", without which no process can be started or be seen to live, and the program "
      "has closed it, as by close_range() or closefrom(): close only descriptors that "
      "the program has opened");
}

Offset self() noexcept { return own_record.load(std::memory_order_relaxed); }

void set_self(Offset record) noexcept {
  const Offset before = own_record.exchange(record);
  if (before != 0 && before != root()) forked.store(true);
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
