#pragma once

#include <cstdint>
#include <string_view>

namespace procession::heap {

/// Never less than this, unless it was asked for.
inline constexpr std::uint64_t kLeastReserve = std::uint64_t{16} << 20;

/// Nobody may ask for less than this.
inline constexpr std::uint64_t kTinyReserve = std::uint64_t{256} << 10;

/// Reads "64M": a number of bytes, with K, M, G or T for powers of 1024. Throws ProcessError, which
/// names `source`, for anything else and for less than `kTinyReserve`.
std::uint64_t parse_reserve(std::string_view text, std::string_view source);

/// How large the heap should be: PROCESSION_HEAP, else `asked`, else (for 0) the memory of the
/// machine; but within the limits of this process, which keeps half of its address space.
std::uint64_t wanted_reserve(std::uint64_t asked);

}  // namespace procession::heap
