#include "channel/authentication.hpp"

#include "channel/tls_sign.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "platform/digest.hpp"
#include "platform/random.hpp"
#include "procession/error.hpp"

namespace procession::channel {

namespace {

using platform::Digest;

constexpr std::string_view kWelcome = "#WELCOME#";
constexpr std::string_view kFailure = "#FAILURE#";
constexpr std::string_view kOurDigest = "{sha256}";
constexpr std::size_t kNonce = 40;
constexpr std::size_t kOldNonce = kShortestNonce;  ///< of those who know nothing but MD5

struct Named {
  std::string_view name;
  Digest digest;
};
constexpr Named kDigests[] = {{"{md5}", Digest::md5},
                              {"{sha256}", Digest::sha256},
                              {"{sha384}", Digest::sha384},
                              {"{sha3_256}", Digest::sha3_256},
                              {"{sha3_384}", Digest::sha3_384}};

std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append(std::vector<std::byte>& to, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// The digest that the bytes begin with the name of.
const Named* named_digest(std::span<const std::byte> bytes) noexcept {
  const std::string_view text = text_of(bytes);
  const auto* const found =
      std::find_if(std::begin(kDigests), std::end(kDigests),
                   [&](const Named& one) { return text.starts_with(one.name); });
  return found == std::end(kDigests) ? nullptr : found;
}

}  // namespace

std::vector<std::byte> answer(std::span<const std::byte> challenge, const AuthKey& key,
                              bool allow_md5) {
  const Named* const found = named_digest(challenge);
  const bool old = found == nullptr && challenge.size() == kOldNonce;
  if ((old || (found != nullptr && found->digest == Digest::md5)) && !allow_md5) {
    throw AuthenticationError(
        "the other side asks for a proof by HMAC-MD5, as CPython 3.11 and older do; if it is to be "
        "trusted all the same, set allow_md5 in the ListenerOptions or ClientOptions");
  }
  if (old) return platform::hmac(Digest::md5, key, challenge);
  if (found == nullptr || challenge.size() - found->name.size() < kOldNonce) {
    throw AuthenticationError(
        "the other side asks for a proof of the key in a way that is not known here (md5, sha256, "
        "sha384, sha3_256 and sha3_384 are), or that proves nothing");
  }
  std::vector<std::byte> reply;
  append(reply, found->name);
  const std::vector<std::byte> code = platform::hmac(found->digest, key, challenge);
  reply.insert(reply.end(), code.begin(), code.end());
  return reply;
}

bool proves(std::span<const std::byte> reply, std::span<const std::byte> challenge,
            const AuthKey& key, bool allow_md5) {
  const Named* const found = named_digest(reply);
  const Digest digest = found == nullptr ? Digest::md5 : found->digest;
  if (digest == Digest::md5 && !allow_md5) return false;
  if (found != nullptr) reply = reply.subspan(found->name.size());
  return platform::equal_secrets(reply, platform::hmac(digest, key, challenge));
}

KeyProof::KeyProof(Side side, AuthKey key, bool allow_md5)
    : side_(side), key_(std::move(key)), allow_md5_(allow_md5), length_(kLongestMessage) {
  if (side_ == Side::listener) send_challenge();
}

KeyProof::State KeyProof::state() const noexcept {
  if (!unsent().empty()) return State::going;
  if (!failure_.empty()) return State::failed;
  return done_ ? State::done : State::going;
}

std::span<std::byte> KeyProof::room() { return body_ ? body_->room() : length_.room(); }

void KeyProof::received(std::size_t bytes) {
  if (body_) {
    body_->filled(bytes);
  } else {
    take_length(bytes);
    if (!length_.complete()) return;
    body_.emplace(length_.length());
  }
  if (!body_->complete()) return;
  const std::vector<std::byte> message = body_->take();
  body_.reset();
  length_ = LengthReader(kLongestMessage);
  take(message);
}

void KeyProof::take_length(std::size_t bytes) {
  try {
    length_.filled(bytes);
  } catch (const DecodeError&) {
    if (!may_be_tls(length_.bytes())) throw;
    throw AuthenticationError(
        "the other side uses TLS, and this one does not; set tls in the ListenerOptions and "
        "ClientOptions of both, or of neither");
  }
}

void KeyProof::take(std::span<const std::byte> message) {
  switch (step_) {
    case Step::challenge:
      return take_challenge(message);
    case Step::reply:
      return take_reply(message);
    case Step::verdict:
      return take_verdict(message);
  }
}

void KeyProof::take_challenge(std::span<const std::byte> message) {
  if (!text_of(message).starts_with(kChallenge)) {
    return fail(
        "the other side sent no challenge; it may have no authkey, which both or neither must "
        "have");
  }
  try {
    send({}, answer(message.subspan(kChallenge.size()), key_, allow_md5_));
  } catch (const AuthenticationError& error) {
    return fail(error.what());
  }
  step_ = Step::verdict;
}

void KeyProof::take_reply(std::span<const std::byte> message) {
  if (!proves(message, challenge_, key_, allow_md5_)) {
    send(kFailure);
    return fail(
        "the other side did not prove that it has the key: it has another one or none, or proves "
        "it by HMAC-MD5 only (see allow_md5)");
  }
  send(kWelcome);
  if (side_ == Side::listener) {
    step_ = Step::challenge;
  } else {
    done_ = true;
  }
}

void KeyProof::take_verdict(std::span<const std::byte> message) {
  if (text_of(message) != kWelcome) {
    return fail("the other side refused our key; both need the same authkey");
  }
  if (side_ == Side::client) {
    send_challenge();
  } else {
    done_ = true;
  }
}

void KeyProof::send_challenge() {
  std::array<std::byte, kNonce> nonce;
  platform::fill_random(nonce);
  append(challenge_, kOurDigest);
  challenge_.insert(challenge_.end(), nonce.begin(), nonce.end());
  send(kChallenge, challenge_);
  step_ = Step::reply;
}

void KeyProof::send(std::string_view word, std::span<const std::byte> more) {
  const FrameHead head(word.size() + more.size());
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(std::exchange(sent_, 0)));
  out_.insert(out_.end(), head.bytes().begin(), head.bytes().end());
  append(out_, word);
  out_.insert(out_.end(), more.begin(), more.end());
}

void KeyProof::fail(std::string why) { failure_ = std::move(why); }

}  // namespace procession::channel
