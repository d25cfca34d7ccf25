// How each of two sides proves to the other that it knows the key, as CPython's
// multiprocessing.connection does it. The listener challenges first, then answers; the client the
// other way round. Nothing here knows where the bytes come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "channel/challenge.hpp"
#include "channel/frame.hpp"
#include "procession/address.hpp"

namespace procession::channel {

/// What proves to somebody who sent `challenge` (all behind its "#CHALLENGE#") that we have the
/// key. Throws AuthenticationError when it asks for what we do not do.
std::vector<std::byte> answer(std::span<const std::byte> challenge, const AuthKey& key,
                              bool allow_md5);

/// Whether `reply` proves that its sender has the key. In constant time for replies of one form.
bool proves(std::span<const std::byte> reply, std::span<const std::byte> challenge,
            const AuthKey& key, bool allow_md5);

/// The whole of it for one side: asks for bytes, never for one more than the other side has to send
/// before it gets an answer, and has bytes to be sent.
class KeyProof {
 public:
  enum class Side { listener, client };
  enum class State { going, done, failed };

  KeyProof(Side side, AuthKey key, bool allow_md5);

  /// Bytes for the other side; they go before anything is received.
  [[nodiscard]] std::span<const std::byte> unsent() const noexcept {
    return std::span(out_).subspan(sent_);
  }
  void sent(std::size_t bytes) noexcept { sent_ += bytes; }

  /// Where the next bytes of the other side go.
  [[nodiscard]] std::span<std::byte> room();
  /// So many were put there. Throws DecodeError for what is no message, or one that is too long.
  void received(std::size_t bytes);

  /// Ended only once there is nothing left to be sent.
  [[nodiscard]] State state() const noexcept;
  /// Why it has failed.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  enum class Step { challenge, reply, verdict };  // what the other side sends next

  void send(std::string_view word, std::span<const std::byte> more = {});
  void send_challenge();
  void take_length(std::size_t bytes);
  void take(std::span<const std::byte> message);
  void take_challenge(std::span<const std::byte> message);
  void take_reply(std::span<const std::byte> message);
  void take_verdict(std::span<const std::byte> message);
  void fail(std::string why);

  const Side side_;
  const AuthKey key_;
  const bool allow_md5_;
  Step step_ = Step::challenge;
  bool done_ = false;
  std::string failure_;
  std::vector<std::byte> challenge_;  // ours
  std::vector<std::byte> out_;
  std::size_t sent_ = 0;
  LengthReader length_;
  std::optional<BodyReader> body_;
};

}  // namespace procession::channel
