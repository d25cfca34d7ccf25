#include "procession/detail/code.hpp"

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "platform/image.hpp"
#include "procession/detail/mixed_name.hpp"
#include "procession/error.hpp"

namespace procession::detail {
namespace {

enum class Kind : std::uint16_t { null, program, library };

struct WireCode {
  std::uint64_t offset = 0;
  Kind kind = Kind::null;
  std::uint16_t path_length = 0;
  platform::ImageId id;
};
static_assert(sizeof(WireCode) == 32);

constexpr std::uint16_t kLongestPath = 4096;

/// The same for whatever lies in the program, but for the offset: copied whole, because bytes that
/// were stored one by one cannot be loaded together until they have reached the cache.
const WireCode& program_code() {
  static const WireCode code{0, Kind::program, 0, platform::main_image().id()};
  return code;
}

void write_program_code(Encoder& encoder, std::uint64_t offset) {
  constexpr std::size_t kOffset = sizeof offset;
  std::byte* const bytes = encoder.extend(sizeof(WireCode));
  offset = mix_offset(offset);
  std::memcpy(bytes, &offset, kOffset);
  std::memcpy(bytes + kOffset, &program_code().kind, sizeof(WireCode) - kOffset);
}

void write_library_code(Encoder& encoder, const platform::Image& image, std::uintptr_t address) {
  WireCode code{mix_offset(address - image.base()), Kind::library, 0, image.id()};
  const std::string_view path = std::string_view(image.path()).substr(0, kLongestPath);
  code.path_length = static_cast<std::uint16_t>(path.size());
  encoder.write(&code, sizeof(code));
  encoder.write(path.data(), path.size());
}

void encode_address(Encoder& encoder, std::uintptr_t address) {
  encoder.name_code();
  if (address == 0) {
    const WireCode null;
    encoder.write(&null, sizeof(null));
    return;
  }
  if (const platform::Image& main = platform::main_image(); main.holds(address)) {
    write_program_code(encoder, address - main.base());
    return;
  }
  const auto image = platform::find_image(address);
  if (image == nullptr) {
    throw std::invalid_argument(
        "cannot send a function that lies in no image: it is neither in the program nor in a "
        "shared "
        "library that is loaded, so another process would not find it; send a function that was "
        "compiled into one of them");
  }
  write_library_code(encoder, *image, address);
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

[[noreturn]] void throw_other_program(const WireCode& code) {
  const platform::Image& main = platform::main_image();
  throw ProcessError(
      "cannot find a function of the program: it was sent by the build with id " + code.id.text() +
      ", and this process runs " + main.path() + " with build id " + main.id().text() +
      "; both processes must run the same build, so restart the one that runs since before the "
      "program was built anew");
}

[[noreturn]] void throw_no_library(const WireCode& code, std::string_view path,
                                   const platform::Image* other) {
  std::string text = "cannot find a function of the shared library " + std::string(path) +
                     " with build id " + code.id.text() + ": ";
  if (other == nullptr) {
    text +=
        "the library is not loaded in this process; link the program with it, or load it before "
        "init() or in the function given to set_forkserver_preload()";
  } else {
    text += "this process has loaded " + other->path() + " with build id " + other->id().text() +
            ", another build; rebuild or reinstall so that there is one, and restart the program";
  }
  throw ProcessError(text);
}

// An address in this process and the image that keeps it valid.
struct Place {
  std::uintptr_t address = 0;
  std::shared_ptr<const platform::Image> library;  // null: the program
  const platform::Image* image = nullptr;          // null: the null function
};

Place find_library_place(const WireCode& code, std::string_view path) {
  const auto images = platform::loaded_images();
  const platform::Image* other_build = nullptr;
  std::shared_ptr<const platform::Image> found;
  for (const auto& image : *images) {
    if (image->main()) {
      continue;
    }
    if (image->id() == code.id) {
      // Two files may be one build, copied. The one at the same path is as good as certain.
      if (found == nullptr || image->path() == path) {
        found = image;
      }
    } else if (file_name(image->path()) == file_name(path)) {
      other_build = image.get();
    }
  }
  if (found == nullptr) {
    throw_no_library(code, path, other_build);
  }
  return {found->base() + code.offset, found, found.get()};
}

Place decode_place(Decoder& decoder) {
  decoder.refuse_untrusted("a function");
  WireCode code;
  decoder.read(&code, sizeof(code));
  code.offset = unmix_offset(code.offset);
  if (code.kind == Kind::program && code.path_length == 0) {
    const platform::Image& main = platform::main_image();
    if (code.id != main.id()) {
      throw_other_program(code);
    }
    return {main.base() + code.offset, nullptr, &main};
  }
  if (code.kind == Kind::null && code.path_length == 0 && code.offset == 0) {
    return {};
  }
  if (code.kind != Kind::library || code.path_length > kLongestPath) {
    throw DecodeError("expected the name of a function and found bytes that are none (kind " +
                      std::to_string(static_cast<unsigned>(code.kind)) +
                      "); what was sent is not of the type that was to be read");
  }
  const std::span<const std::byte> path = decoder.take(code.path_length);
  return find_library_place(code, {reinterpret_cast<const char*>(path.data()), path.size()});
}

[[noreturn]] void throw_nothing_there(const Place& place, const char* expected) {
  throw DecodeError("there is no " + std::string(expected) + " at offset " +
                    std::to_string(place.address - place.image->base()) + " of " +
                    place.image->path() +
                    "; the bytes are damaged, or are not of the type that was to be read");
}

// Before it is known to be a record, what lies there may be anything, for AddressSanitizer as well.
__attribute__((no_sanitize("address"))) bool is_record(const volatile CodeRecord* record) {
  return record->self == record && record->magic == kCodeMagic;
}

}  // namespace

void throw_no_entry() {
  throw DecodeError(
      "expected the name of what is to be called and found that of nothing; the bytes are damaged, "
      "or are not of the type that was to be read");
}

void encode_function(Encoder& encoder, std::uintptr_t address) { encode_address(encoder, address); }

std::uintptr_t decode_function(Decoder& decoder) {
  const Place place = decode_place(decoder);
  if (place.image != nullptr && !place.image->is_code(place.address)) {
    throw_nothing_there(place, "function");
  }
  return place.address;
}

void encode_record(Encoder& encoder, const CodeRecord* record) {
  encode_address(encoder, reinterpret_cast<std::uintptr_t>(record));
}

const CodeRecord* decode_record(Decoder& decoder, const std::type_info& type) {
  const Place place = decode_place(decoder);
  if (place.image == nullptr) {
    return nullptr;
  }
  const auto* const record = reinterpret_cast<const CodeRecord*>(place.address);
  if (place.address % alignof(CodeRecord) != 0 ||
      !place.image->is_data(place.address, sizeof(CodeRecord)) || !is_record(record)) {
    throw_nothing_there(place, "entry for other processes");
  }
  if (*record->type != type) {
    throw DecodeError("expected the code of " + std::string(type.name()) + " and found that of " +
                      record->type->name() +
                      "; what was sent is not of the type that was to be read");
  }
  return record;
}

}  // namespace procession::detail
