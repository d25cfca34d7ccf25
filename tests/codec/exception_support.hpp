// Sends exceptions through bytes, for the tests of exceptions.
#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "procession/exception.hpp"

namespace exception_test {

namespace mp = procession;

constexpr mp::RemoteOrigin kOrigin{.task_index = 7, .pid = 4321};

template <class F>
std::exception_ptr thrown_by(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

inline std::vector<std::byte> to_bytes(const std::exception_ptr& error) {
  mp::BufferEncoder out;
  mp::encode_exception(out, error);
  return out.take();
}

inline std::exception_ptr from_bytes(std::span<const std::byte> bytes,
                                     mp::RemoteOrigin origin = kOrigin) {
  mp::Decoder in(bytes);
  const std::exception_ptr error = mp::decode_exception(in, origin);
  in.expect_end();
  return error;
}

inline std::exception_ptr sent(const std::exception_ptr& error, mp::RemoteOrigin origin = kOrigin) {
  return from_bytes(to_bytes(error), origin);
}

// The object that arrives, as E. Throws std::logic_error when it is not an E.
template <class E, class Check>
void expect_arrives(const std::exception_ptr& error, Check check) {
  const std::exception_ptr arrived = sent(error);
  try {
    std::rethrow_exception(arrived);
  } catch (const E& thrown) {
    check(thrown, mp::remote_trace(arrived));
    return;
  } catch (...) {
  }
  throw std::logic_error("another type arrived");
}

}  // namespace exception_test
