#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "platform/image.hpp"
#include "platform/thread_end.hpp"

namespace procession::platform {
namespace {

std::string program_path() {
  std::array<char, 4096> path;
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "the program";
}

std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// A note: three words (size of the name, size of the content, type), then name and content, each
// padded to four bytes.
std::vector<std::uint8_t> find_build_id(std::span<const std::uint8_t> notes) {
  ElfW(Nhdr) note;
  while (notes.size() >= sizeof(note)) {
    std::memcpy(&note, notes.data(), sizeof(note));
    const std::size_t content = sizeof(note) + padded(note.n_namesz);
    const std::size_t next = content + padded(note.n_descsz);
    if (next > notes.size()) {
      break;
    }
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes.data() + sizeof(note), "GNU", 4) == 0) {
      const auto id = notes.subspan(content, note.n_descsz);
      return {id.begin(), id.end()};
    }
    notes = notes.subspan(next);
  }
  return {};
}

Image::Facts facts_of(const dl_phdr_info& info, bool main) {
  Image::Facts facts;
  facts.main = main;
  facts.path = main ? program_path() : std::string(info.dlpi_name);
  facts.base = info.dlpi_addr;
  const std::span headers(info.dlpi_phdr, info.dlpi_phnum);
  const std::span header_bytes = std::as_bytes(headers);
  facts.headers.assign(header_bytes.begin(), header_bytes.end());
  for (const ElfW(Phdr) & header : headers) {
    const AddressRange range{info.dlpi_addr + header.p_vaddr,
                             info.dlpi_addr + header.p_vaddr + header.p_memsz};
    if (header.p_type == PT_LOAD) {
      if (facts.whole.end == 0) {
        facts.whole.begin = range.begin;  // segments come in ascending order
      }
      facts.whole.end = range.end;
      if ((header.p_flags & PF_X) != 0) {
        facts.code.push_back(range);
      } else if ((header.p_flags & PF_R) != 0) {
        facts.readable.push_back(range);
      }
    }
  }
  for (const ElfW(Phdr) & header : headers) {
    if (header.p_type == PT_NOTE && facts.build_id.empty()) {
      const AddressRange notes{info.dlpi_addr + header.p_vaddr,
                               info.dlpi_addr + header.p_vaddr + header.p_memsz};
      if (notes.begin >= facts.whole.begin && notes.end <= facts.whole.end) {
        facts.build_id = find_build_id(
            {reinterpret_cast<const std::uint8_t*>(notes.begin), notes.end - notes.begin});
      }
    }
  }
  return facts;
}

// How many images have been loaded and unloaded so far.
struct Changes {
  unsigned long long loaded = 0;
  unsigned long long unloaded = 0;

  friend bool operator==(const Changes&, const Changes&) = default;
};

Changes current_changes() {
  Changes changes;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<Changes*>(out) = {info->dlpi_adds, info->dlpi_subs};
        return 1;
      },
      &changes);
  return changes;
}

struct Snapshot {
  Changes changes;
  ImageList images;
};

std::shared_ptr<const Snapshot> take_snapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        auto& into = *static_cast<Snapshot*>(out);
        into.changes = {info->dlpi_adds, info->dlpi_subs};
        if (!into.images.empty()) {
          into.images.push_back(std::make_shared<const Image>(facts_of(*info, false)));
        } else if (const Image& main = main_image(); true) {
          into.images.emplace_back(std::shared_ptr<const void>(), &main);  // never unloaded
        }
        return 0;
      },
      snapshot.get());
  return snapshot;
}

// Each thread's last snapshot: nothing to lock, so nothing that a fork could leave locked.
struct ThreadCache {
  std::shared_ptr<const Snapshot>* latest = nullptr;

  // A pointer, so that there is something to use when other destructors of the thread still call.
  void set(std::shared_ptr<const Snapshot> snapshot) {
    if (latest == nullptr) {
      latest = new std::shared_ptr<const Snapshot>(std::move(snapshot));
    } else {
      *latest = std::move(snapshot);
    }
  }
};

ThreadCache& thread_cache() {
  static thread_local constinit ThreadCache cache;
  static thread_local constinit bool announced = false;
  if (!announced) {
    announced = true;
    at_thread_end(
        [](void* object) noexcept {
          auto& ended = *static_cast<ThreadCache*>(object);
          delete std::exchange(ended.latest, nullptr);
        },
        &cache);
  }
  return cache;
}

// Two functions of 64 bits over the same words: together no accident makes two builds equal.
struct Hash {
  std::uint64_t one = 0xcbf29ce484222325;
  std::uint64_t two = 0x9e3779b97f4a7c15;

  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (; size >= sizeof(std::uint64_t); size -= sizeof(std::uint64_t)) {
      std::uint64_t word;
      std::memcpy(&word, bytes, sizeof(word));
      bytes += sizeof(word);
      add_word(word);
    }
    std::uint64_t rest = size;
    for (; size != 0; --size) {
      rest = (rest << 8) | *bytes++;
    }
    add_word(rest);
  }

  void add_word(std::uint64_t word) {
    one = (one ^ word) * 0x100000001b3;
    one ^= one >> 29;
    two = (two + word) * 0xff51afd7ed558ccd;
    two ^= two >> 32;
  }
};

}  // namespace

std::string ImageId::text() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool Image::is_code(std::uintptr_t address) const {
  for (const AddressRange& range : facts_.code) {
    if (range.contains(address)) {
      return true;
    }
  }
  return false;
}

bool Image::is_data(std::uintptr_t address, std::size_t size) const {
  for (const AddressRange& range : facts_.readable) {
    if (range.contains(address, size)) {
      return true;
    }
  }
  return false;
}

bool Image::holds(std::uintptr_t address) const { return is_code(address) || is_data(address, 1); }

Image::Image(Facts facts) : facts_(std::move(facts)) {
  if (!facts_.build_id.empty()) {
    std::copy_n(facts_.build_id.begin(), std::min(id_.bytes.size(), facts_.build_id.size()),
                id_.bytes.begin());
    id_state_.store(IdState::found, std::memory_order_relaxed);
  }
}

ImageId Image::hash_id() const {
  Hash hash;
  hash.add(facts_.headers.data(), facts_.headers.size());
  for (const AddressRange& range : facts_.code) {
    hash.add(reinterpret_cast<const void*>(range.begin), range.end - range.begin);
  }
  ImageId id;
  std::memcpy(id.bytes.data(), &hash.one, sizeof(hash.one));
  std::memcpy(id.bytes.data() + sizeof(hash.one), &hash.two, sizeof(hash.two));
  // Threads that get here together find the same; one of them writes it down. No lock: a child
  // forked in between would wait for it for ever.
  IdState expected = IdState::unknown;
  if (id_state_.compare_exchange_strong(expected, IdState::busy)) {
    id_ = id;
    id_state_.store(IdState::found, std::memory_order_release);
  }
  return id;
}

const Image& main_image() {
  // Never destroyed: processes are started, and functions named, while a program ends too.
  static const Image* const image = [] {
    const Image* found = nullptr;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* out) {
          *static_cast<const Image**>(out) = new Image(facts_of(*info, true));
          return 1;
        },
        &found);
    return found;
  }();
  return *image;
}

std::shared_ptr<const ImageList> loaded_images() {
  main_image();  // not from within dl_iterate_phdr(), where the loader's lock is held
  ThreadCache& cache = thread_cache();
  if (cache.latest == nullptr || (*cache.latest)->changes != current_changes()) {
    cache.set(take_snapshot());
  }
  return {*cache.latest, &(*cache.latest)->images};
}

std::shared_ptr<const Image> find_image(std::uintptr_t address) {
  const Image& main = main_image();
  if (main.holds(address)) {
    return {std::shared_ptr<const void>(), &main};
  }
  const std::shared_ptr<const ImageList> images = loaded_images();
  for (const std::shared_ptr<const Image>& image : *images) {
    if (image->holds(address)) {
      return image;
    }
  }
  return nullptr;
}

}  // namespace procession::platform
