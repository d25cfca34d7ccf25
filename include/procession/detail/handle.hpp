#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace procession {
class Decoder;
class Encoder;
}  // namespace procession

// What every handle (Queue, Lock, Value, …) is made of: the name of a block of the shared heap,
// which lives as long as it is named by a handle in any process, or by a message that holds one.
namespace procession::detail {

/// One hold of this process on a shared object, counted among the handles that are copies of each
/// other.
class LocalHold;

/// A bit of `ObjectHeader::kind`: 64 bytes behind the header's begin lies an atomic word with the
/// record of the process of which a thread has the object locked, or 0. Such an object is not given
/// back by that process: the kernel would write to it at the thread's end.
inline constexpr std::uint64_t kLockable = std::uint64_t{1} << 63;

/// The first words of every shared object, by which a handle that arrives is checked.
struct ObjectHeader {
  std::uint64_t kind;         ///< which class of handle it is for
  std::uint64_t fingerprint;  ///< of the element type; 0 where there is none
};

/// Copies name the same object. Copying and destroying are thread-safe for distinct handles, as for
/// std::shared_ptr; what is done with the object is its class's affair.
class Handle {
 public:
  /// Names nothing.
  Handle() noexcept = default;
  Handle(const Handle& other) noexcept : object_(other.object_), hold_(other.hold_) { share(); }
  Handle(Handle&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)),
        hold_(std::exchange(other.hold_, nullptr)) {}
  Handle& operator=(const Handle& other) noexcept {
    Handle copy(other);
    swap(copy);
    return *this;
  }
  Handle& operator=(Handle&& other) noexcept {
    Handle moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Handle() {
    if (hold_ != nullptr) {
      release();
    }
  }

  /// Takes over a hold (its id in the shared heap) of this process on a block that begins with an
  /// ObjectHeader. Throws std::bad_alloc, and has then given the hold back.
  static Handle own(std::uint64_t hold_id);

  /// Writes the name of the object, and has the message hold it. `what` names the class in the text
  /// of the ProcessError that is thrown for a handle that names nothing.
  void encode(Encoder& encoder, const char* what) const;
  /// Reads such a name. Throws DecodeError when it names no object of this kind and fingerprint.
  static Handle decode(Decoder& decoder, ObjectHeader expected, const char* what);

  /// The object; null when there is none.
  [[nodiscard]] std::byte* address() const noexcept { return object_; }
  /// Names nothing any more. True when no other handle, in any process or message, named the object
  /// then: of several that leave it at once, one is told so.
  bool leave() noexcept;
  /// The object. Throws ProcessError, naming the class `what`, when there is none.
  template <class T>
  [[nodiscard]] T& object(const char* what) const {
    if (object_ == nullptr) {
      refuse_empty(what);
    }
    return *reinterpret_cast<T*>(object_);
  }

 private:
  void swap(Handle& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(hold_, other.hold_);
  }
  void share() const noexcept;
  void release() noexcept;
  [[noreturn]] static void refuse_empty(const char* what);

  std::byte* object_ = nullptr;
  LocalHold* hold_ = nullptr;
};

/// Whether default constructors of handles are to make handles that name nothing, because what they
/// name is about to be decoded: decoding makes every value by a default constructor.
bool vacant_handles() noexcept;

/// Says so for this thread, to the end of the scope.
class VacantHandles {
 public:
  explicit VacantHandles(bool vacant) noexcept;
  VacantHandles(const VacantHandles&) = delete;
  VacantHandles& operator=(const VacantHandles&) = delete;
  ~VacantHandles();

 private:
  bool before_;
};

/// Around the decoding of a type. Does nothing for one without handles.
template <bool HasHandles>
struct DecodingScope {
  VacantHandles vacant{true};
};
template <>
struct DecodingScope<false> {
  DecodingScope() {}  // NOLINT: so that a scope is not an unused variable
};

/// Specialised to be true for each class of handles, beside the class.
template <class T>
inline constexpr bool kIsHandle = false;

}  // namespace procession::detail
