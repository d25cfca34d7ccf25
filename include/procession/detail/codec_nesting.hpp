#pragma once

#include "procession/detail/decoder.hpp"
#include "procession/detail/encoder.hpp"

namespace procession::detail {

/// How many containers, pointers, alternatives and user-defined types may lie inside one another in
/// one message. Each level costs the decoder's stack some hundred bytes, so this is what keeps
/// hostile bytes from exhausting it. Both ends count alike: what is too deep is refused by the
/// sender.
inline constexpr std::size_t kMaxNesting = 256;

[[noreturn]] void throw_encoding_too_deep();
[[noreturn]] void throw_decoding_too_deep();

/// Counts one level for as long as it lives.
class Nesting {
 public:
  explicit Nesting(Encoder& encoder) : depth_(encoder.depth_) {
    if (depth_ == kMaxNesting) {
      throw_encoding_too_deep();
    }
    ++depth_;
  }
  explicit Nesting(Decoder& decoder) : depth_(decoder.depth_) {
    if (depth_ == kMaxNesting) {
      throw_decoding_too_deep();
    }
    ++depth_;
  }
  ~Nesting() { --depth_; }

  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  std::size_t& depth_;
};

}  // namespace procession::detail
