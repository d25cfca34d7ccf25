// How the exceptions of error.hpp are sent. RemoteError is not among them: it stays what it is, the
// report of an exception of another type.
#include <array>
#include <cstdint>
#include <tuple>

#include "exception_types.hpp"

namespace procession::detail {
namespace {

struct BufferTooShortForm {
  static void write(Encoder& out, const BufferTooShort& error) {
    procession::encode(out, std::uint64_t{error.room()});
    procession::encode(out, std::vector<std::byte>(error.message().begin(), error.message().end()));
  }
  static BufferTooShort read(Decoder& in, const std::string& text) {
    const auto room = decode<std::uint64_t>(in);
    return with_text(BufferTooShort(decode<std::vector<std::byte>>(in), room), text);
  }
};

struct TypeMismatchForm {
  static void write(Encoder& out, const TypeMismatch& error) {
    procession::encode(out, error.asked());
    procession::encode(out, error.found());
  }
  static TypeMismatch read(Decoder& in, const std::string& text) {
    auto asked = decode<std::string>(in);
    return with_text(TypeMismatch(std::move(asked), decode<std::string>(in)), text);
  }
};

struct WorkerLostForm {
  static void write(Encoder& out, const WorkerLost& error) {
    procession::encode(out, std::int32_t{error.pid()});
    procession::encode(out, std::int32_t{error.exitcode()});
    procession::encode(out, std::uint64_t{error.task_index()});
  }
  static WorkerLost read(Decoder& in, const std::string& text) {
    const auto pid = decode<std::int32_t>(in);
    const auto exitcode = decode<std::int32_t>(in);
    return with_text(WorkerLost(pid, exitcode, decode<std::uint64_t>(in)), text);
  }
};

constexpr std::array kOwnTypes{
    text_type<ProcessError>("procession::ProcessError"),
    text_type<NotInitialized>("procession::NotInitialized"),
    text_type<TimeoutError>("procession::TimeoutError"),
    text_type<Empty>("procession::Empty"),
    text_type<Full>("procession::Full"),
    text_type<ShutDown>("procession::ShutDown"),
    text_type<EndOfFile>("procession::EndOfFile"),
    text_type<BrokenPipe>("procession::BrokenPipe"),
    text_type<ConnectionLost>("procession::ConnectionLost"),
    describe_type<BufferTooShort, BufferTooShortForm>("procession::BufferTooShort"),
    describe_type<TypeMismatch, TypeMismatchForm>("procession::TypeMismatch"),
    text_type<KeyError>("procession::KeyError"),
    text_type<DecodeError>("procession::DecodeError"),
    text_type<AuthenticationError>("procession::AuthenticationError"),
    text_type<BrokenBarrier>("procession::BrokenBarrier"),
    text_type<Cancelled>("procession::Cancelled"),
    text_type<StopIteration>("procession::StopIteration"),
    describe_type<WorkerLost, WorkerLostForm>("procession::WorkerLost"),
    text_type<OutOfMemory>("procession::OutOfMemory"),
};

}  // namespace

std::span<const ExceptionType> own_exception_types() { return kOwnTypes; }

}  // namespace procession::detail
