#include "process/failure.hpp"

#include "codec/exception_types.hpp"
#include "platform/report.hpp"
#include "procession/exception.hpp"

namespace procession::process {

std::string failure_text(const std::exception_ptr& failure) {
  // The exception as it would arrive elsewhere says its type and text, whatever it is.
  BufferEncoder bytes;
  encode_exception(bytes, failure);
  Decoder decoder(bytes.bytes());
  std::string text;
  for (std::exception_ptr one = decode_exception(decoder, {}); one != nullptr;
       one = detail::thrown_cause(one)) {
    const RemoteTrace* const trace = remote_trace(one);
    text += (text.empty() ? "" : "\n  caused by ") + trace->type() + ": " + trace->text();
  }
  return text;
}

void report_failure(std::string_view what, const std::string& name,
                    const std::exception_ptr& failure) noexcept {
  try {
    platform::write_to_stderr(std::string(what) + " " + name + ":\n  " + failure_text(failure) +
                              "\n");
  } catch (...) {
    platform::write_to_stderr("an exception that there was no memory to describe\n");
  }
}

}  // namespace procession::process
