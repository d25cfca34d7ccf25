// The exceptions of error.hpp as values: how they are, and not where they came from.
#include <utility>
#include <vector>

#include "exception_types.hpp"
#include "procession/exception.hpp"

namespace procession::detail {
namespace {

template <class E>
E as_sent(const E& arrived) {
  return arrived;
}

// It was sent on from the place that it reports, which is now the last of the earlier ones.
RemoteError as_sent(const RemoteError& arrived) {
  std::vector<RemoteOrigin> earlier = arrived.earlier();
  RemoteOrigin origin;
  if (!earlier.empty()) {
    origin = earlier.back();
    earlier.pop_back();
  }
  return RemoteError(RemoteTrace(arrived.type(), arrived.text(), origin, std::move(earlier)));
}

}  // namespace

template <class E>
void encode_error(Encoder& out, const E& error) {
  encode_exception(out, std::make_exception_ptr(error));
}

template <class E>
void decode_error(Decoder& in, E& error) {
  const std::exception_ptr arrived = decode_exception(in, {});
  try {
    if (arrived) std::rethrow_exception(arrived);
  } catch (const E& value) {
    error = as_sent(value);
    return;
  } catch (...) {  // of another type
  }
  const RemoteTrace* const trace = remote_trace(arrived);
  throw DecodeError("asked to decode an exception of type " + readable_name(typeid(E)) +
                    ", but found " + (trace == nullptr ? "none" : "one of type " + trace->type()) +
                    "; decode it as what was encoded");
}

#define PROCESSION_VALUE(E)                           \
  template void encode_error(Encoder& out, const E&); \
  template void decode_error(Decoder& in, E&) /* NOLINT: a type */

PROCESSION_VALUE(ProcessError);
PROCESSION_VALUE(NotInitialized);
PROCESSION_VALUE(TimeoutError);
PROCESSION_VALUE(Empty);
PROCESSION_VALUE(Full);
PROCESSION_VALUE(ShutDown);
PROCESSION_VALUE(EndOfFile);
PROCESSION_VALUE(BrokenPipe);
PROCESSION_VALUE(ConnectionLost);
PROCESSION_VALUE(BufferTooShort);
PROCESSION_VALUE(TypeMismatch);
PROCESSION_VALUE(KeyError);
PROCESSION_VALUE(DecodeError);
PROCESSION_VALUE(AuthenticationError);
PROCESSION_VALUE(BrokenBarrier);
PROCESSION_VALUE(Cancelled);
PROCESSION_VALUE(StopIteration);
PROCESSION_VALUE(WorkerLost);
PROCESSION_VALUE(RemoteError);
PROCESSION_VALUE(OutOfMemory);

#undef PROCESSION_VALUE

}  // namespace procession::detail
