// The bytes of an exception: a std::uint8_t, how many levels follow; then the levels, the most
// deeply nested first. A level is
//
//     name      std::string                  of its ExceptionType; empty: the type is not known
//     type      std::string                  readable name of the type
//     text      std::string                  what()
//     earlier   std::vector<RemoteOrigin>    the processes it had passed through
//     length    std::uint64_t                bytes of the fields
//     fields                                 as its ExceptionType writes them
#include "procession/exception.hpp"

#include <cstdint>
#include <vector>

#include "exception_types.hpp"
#include "procession/detail/codec_nesting.hpp"

namespace procession {
namespace {

using detail::ExceptionType;

constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostEarlier = 64;

// The fields of an exception, or false when they cannot be had: the type's own encode() may throw.
bool write_fields(BufferEncoder& fields, const ExceptionType& type,
                  const std::exception_ptr& error) noexcept {
  try {
    return type.write(fields, error);
  } catch (...) {
    return false;
  }
}

std::vector<RemoteOrigin> places_passed(const RemoteTrace* trace) {
  if (trace == nullptr) return {};
  std::vector<RemoteOrigin> places = trace->earlier();
  if (places.size() >= kMostEarlier) places.resize(kMostEarlier - 1);  // the first are the cause
  places.push_back({.task_index = trace->task_index(), .pid = trace->pid()});
  return places;
}

void encode_level(Encoder& out, const std::exception_ptr& error) {
  const std::type_info& thrown = detail::thrown_type(error);
  const RemoteTrace* const trace = remote_trace(error);
  BufferEncoder fields;
  const ExceptionType* type = detail::find_exception_type(error, thrown);
  if (type != nullptr && !write_fields(fields, *type, error)) {
    type = nullptr;
    fields.clear();
  }
  if (type != nullptr) {
    encode(out, std::string(type->name));
    encode(out, detail::readable_name(type->id()));
    encode(out, detail::thrown_text(error));
  } else {
    // A RemoteError, passed on, reports what it was made for and not itself.
    encode(out, std::string());
    encode(out, trace != nullptr ? trace->type() : detail::readable_name(thrown));
    encode(out, trace != nullptr ? trace->text() : detail::thrown_text(error));
  }
  encode(out, places_passed(trace));
  encode(out, std::uint64_t{fields.size()});
  out.write(fields.bytes().data(), fields.size());
  if (fields.noted_address() != nullptr) out.note_address(fields.noted_address());
}

std::exception_ptr remote_error(const RemoteTrace& trace, const std::exception_ptr& cause) {
  if (!cause) return detail::stored<RemoteError>(trace);
  try {
    std::rethrow_exception(cause);
  } catch (...) {  // std::nested_exception takes what is being handled
    return detail::stored<detail::WithCause<RemoteError>>(trace);
  }
}

// Null when the type is not known here, or its own decode() or constructor refused.
std::exception_ptr decode_fields(Decoder& in, const std::string& name, const RemoteTrace& trace,
                                 const std::exception_ptr& cause) {
  const ExceptionType* const type =
      name.empty() ? nullptr : detail::find_exception_type(std::string_view(name));
  if (type == nullptr) return nullptr;
  try {
    return type->rebuild(in, trace, cause);
  } catch (const DecodeError&) {
    throw;
  } catch (...) {
    return nullptr;
  }
}

std::exception_ptr decode_level(Decoder& in, const RemoteOrigin& origin,
                                const std::exception_ptr& cause) {
  const auto name = decode<std::string>(in);
  auto type = decode<std::string>(in);
  auto text = decode<std::string>(in);
  auto earlier = decode<std::vector<RemoteOrigin>>(in);
  const RemoteTrace trace(std::move(type), std::move(text), origin, std::move(earlier));
  const auto length = decode<std::uint64_t>(in);
  if (length > in.remaining()) {
    throw DecodeError("an exception was to have " + std::to_string(length) +
                      " bytes of fields, but only " + std::to_string(in.remaining()) +
                      " bytes are left; the message is damaged or not an exception");
  }
  const std::size_t left = in.remaining() - static_cast<std::size_t>(length);
  // Not from a decoder of their own: this one counts how deep it is.
  std::exception_ptr error = decode_fields(in, name, trace, cause);
  if (in.remaining() < left || (error && in.remaining() > left)) {
    throw DecodeError("the fields of an exception of type " + trace.type() +
                      " are not as long as announced; is that type the same in both programs?");
  }
  static_cast<void>(in.take(in.remaining() - left));
  return error ? error : remote_error(trace, cause);
}

}  // namespace

bool detail::keeps_its_type(const std::exception_ptr& error) {
  std::size_t levels = 0;
  for (std::exception_ptr at = error; at && levels < kMostLevels; at = thrown_cause(at), ++levels) {
    if (remote_trace(at) == nullptr && find_exception_type(at, thrown_type(at)) == nullptr) {
      return false;
    }
  }
  return true;
}

void encode_exception(Encoder& out, const std::exception_ptr& error) {
  std::vector<std::exception_ptr> levels;
  for (std::exception_ptr at = error; at && levels.size() < kMostLevels;
       at = detail::thrown_cause(at)) {
    levels.push_back(at);
  }
  encode(out, static_cast<std::uint8_t>(levels.size()));
  for (auto level = levels.rbegin(); level != levels.rend(); ++level)
    encode_level(out, *level);
}

std::exception_ptr decode_exception(Decoder& in, const RemoteOrigin& origin) {
  const detail::Nesting nesting(in);
  const auto levels = decode<std::uint8_t>(in);
  if (levels > kMostLevels) {
    throw DecodeError("an exception was to have " + std::to_string(levels) +
                      " levels of nested exceptions, but at most " + std::to_string(kMostLevels) +
                      " are sent; the message is damaged or not an exception");
  }
  std::exception_ptr error;
  for (unsigned level = 0; level < levels; ++level)
    error = decode_level(in, origin, error);
  return error;
}

void throw_decoded(Decoder& in, const RemoteOrigin& origin) {
  const std::exception_ptr error = decode_exception(in, origin);
  if (!error) {
    throw DecodeError(
        "an exception was expected, but the message says that there is none; this is not the "
        "message of a failed task");
  }
  std::rethrow_exception(error);
}

}  // namespace procession
