#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The images of this process: the program and its shared libraries.
///
/// A function has the same offset in its image in every process that has the same build of that
/// image, wherever it was loaded: that is how a function is named to another process.
namespace procession::platform {

/// Which build of an image this is. The first 20 bytes of the build id that the linker wrote; an
/// image without one is known by a hash of its program headers and of its code.
struct ImageId {
  std::array<std::uint8_t, 20> bytes{};

  friend bool operator==(const ImageId&, const ImageId&) = default;

  /// In hexadecimal, as `readelf -n` prints a build id.
  [[nodiscard]] std::string text() const;
};

/// Addresses from `begin` up to and without `end`.
struct AddressRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;

  [[nodiscard]] bool contains(std::uintptr_t address) const {
    return address >= begin && address < end;
  }
  [[nodiscard]] bool contains(std::uintptr_t address, std::size_t size) const {
    return contains(address) && end - address >= size;
  }
};

/// One loaded image. Immutable, save that its id is found when first asked for; thread-safe.
class Image {
 public:
  /// What the loader says of an image.
  struct Facts {
    std::string path;
    std::uintptr_t base = 0;  // what the loader adds to the addresses in the file
    AddressRange whole;
    std::vector<AddressRange> code;      // executable segments
    std::vector<AddressRange> readable;  // segments that hold data, read-only data included
    std::vector<std::uint8_t> build_id;  // empty: it has none
    std::vector<std::byte> headers;      // the program headers, for the hash
    bool main = false;
  };
  explicit Image(Facts facts);

  /// The program itself, not a library.
  [[nodiscard]] bool main() const { return facts_.main; }
  /// The file, as the loader names it.
  [[nodiscard]] const std::string& path() const { return facts_.path; }
  [[nodiscard]] std::uintptr_t base() const { return facts_.base; }
  /// From the first byte to the last; there may be gaps with other mappings in between.
  [[nodiscard]] const AddressRange& whole() const { return facts_.whole; }
  /// Whether it is an address in this image's code.
  [[nodiscard]] bool is_code(std::uintptr_t address) const;
  /// Whether `size` bytes can be read there, and are data.
  [[nodiscard]] bool is_data(std::uintptr_t address, std::size_t size) const;
  /// Whether the address lies in one of the image's segments.
  [[nodiscard]] bool holds(std::uintptr_t address) const;
  [[nodiscard]] ImageId id() const {
    return id_state_.load(std::memory_order_acquire) == IdState::found ? id_ : hash_id();
  }

 private:
  enum class IdState { unknown, busy, found };

  [[nodiscard]] ImageId hash_id() const;

  Facts facts_;
  mutable std::atomic<IdState> id_state_{IdState::unknown};
  mutable ImageId id_;
};

/// The images of one moment, the program first.
using ImageList = std::vector<std::shared_ptr<const Image>>;

/// The program itself. The first call takes some microseconds, the next ones a nanosecond.
const Image& main_image();

/// All images that are loaded now. Looks anew when a library was loaded or unloaded since this
/// thread's last call, which else takes a tenth of a microsecond. Thread-safe, and safe after
/// fork().
std::shared_ptr<const ImageList> loaded_images();

/// The image that an address lies in; null when it lies in none.
std::shared_ptr<const Image> find_image(std::uintptr_t address);

}  // namespace procession::platform
