#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <typeinfo>

#include "procession/detail/decoder.hpp"
#include "procession/detail/encoder.hpp"
#include "procession/detail/requirements.hpp"

// Naming code to another process: as an image (the program or a shared library, by its build id)
// and an offset in it. It takes about 20 ns for what lies in the program itself.
//
// On the wire, 32 bytes, integers as they lie in memory:
//     0  u64  offset in the image, mixed (mixed_name.hpp); 0 when null
//     8  u16  kind: 0 null, 1 the program itself, 2 a shared library
//    10  u16  length of the path that follows; 0 unless it is a library
//    12  20 bytes  the id of the image's build
//    32  the library's path, for error texts only
namespace procession::detail {

/// What a process may be asked to enter lies in the program as a constant record of this form, and
/// it is the record that is named, not the code. The receiver sees that there is a record where the
/// bytes say so, and that it is of the type expected, before it jumps anywhere.
struct CodeRecord {
  const CodeRecord* self;      // where it lies: no copy of it, and no chance bytes, are one
  std::uint64_t magic;         // kCodeMagic
  const std::type_info* type;  // of the whole record
};

inline constexpr std::uint64_t kCodeMagic = 0x70726f63'65737369;

/// Writes which function this is; 0 is the null function. Throws `std::invalid_argument` when the
/// address lies in no image (code made at run time). Thread-safe.
void encode_function(Encoder& encoder, std::uintptr_t address);

/// The address of the same function in this process; 0 for the null function. Throws `ProcessError`
/// when the image is not loaded here, or is another build; `DecodeError` when there is no code at
/// that place of it.
std::uintptr_t decode_function(Decoder& decoder);

/// Writes which record this is; null is allowed.
void encode_record(Encoder& encoder, const CodeRecord* record);

/// The same record in this process. Throws as decode_function() does, and `DecodeError` when there
/// is no record of that type there.
const CodeRecord* decode_record(Decoder& decoder, const std::type_info& type);

/// A record that leads to one function.
template <class Fn>
struct EntryRecord : CodeRecord {
  Fn* entry;
};

/// The record of the function `kEntry`. Hidden: each image has its own, so that the image named is
/// the one that asked, whatever else is loaded.
template <auto kEntry>
struct EntryOf {
  using Fn = std::remove_pointer_t<decltype(kEntry)>;
  [[gnu::visibility("hidden")]] static const EntryRecord<Fn> record;
};

template <auto kEntry>
constinit const EntryRecord<typename EntryOf<kEntry>::Fn> EntryOf<kEntry>::record{
    {&EntryOf<kEntry>::record, kCodeMagic, &typeid(EntryRecord<typename EntryOf<kEntry>::Fn>)},
    kEntry};

/// Writes which function `kEntry` is, for decode_entry() with the same type of function.
template <auto kEntry>
void encode_entry(Encoder& encoder) {
  encode_record(encoder, &EntryOf<kEntry>::record);
}

[[noreturn]] void throw_no_entry();

/// The function of type `Fn` that encode_entry() named, never null. Throws `DecodeError` when it is
/// another type, or none; else as decode_function() does.
template <class Fn>
Fn* decode_entry(Decoder& decoder) {
  const CodeRecord* const record = decode_record(decoder, typeid(EntryRecord<Fn>));
  if (record == nullptr) throw_no_entry();
  return static_cast<const EntryRecord<Fn>*>(record)->entry;
}

}  // namespace procession::detail
