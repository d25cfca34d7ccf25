// What the requests to a manager of another program are fuzzed with, also replayed by the tests:
// whatever bytes a client sends, each request ends in a reply or in an exception for the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "manager/registry.hpp"
#include "manager/wire.hpp"
#include "procession/detail/served_methods.hpp"
#include "procession/error.hpp"
#include "procession/exception.hpp"

namespace request_fuzz {

namespace mp = procession;
using Bytes = std::vector<std::byte>;

struct Point {
  std::int32_t x = 0;
  std::vector<std::string> names;
};

class Subject {
 public:
  explicit Subject(int start = 0) : total_(start) {}
  int add(int n) { return static_cast<int>(static_cast<unsigned>(total_ += n % 1000)); }
  [[nodiscard]] std::size_t count(const std::vector<Point>& points) const { return points.size(); }

 private:
  int total_;
};

template <class S>
mp::detail::RegisteredType known(const char* name) {
  mp::detail::Methods<S> methods;
  list_methods(methods);
  return {name, mp::detail::served_fingerprint<S>(), mp::type_name<S>(),
          mp::detail::known_makers<S>(), std::move(methods.all)};
}

/// A server with types of several kinds. Nothing in it waits.
inline const mp::manager::Registry& registry() {
  static const auto* const one = [] {
    auto* const made = new mp::manager::Registry;
    mp::detail::RegisteredType subject{
        "Subject", mp::detail::served_fingerprint<Subject>(), mp::type_name<Subject>(), {}, {}};
    subject.makers.push_back(mp::detail::register_maker<Subject>());
    subject.makers.push_back(mp::detail::register_maker<Subject, int>());
    subject.methods.push_back(mp::detail::register_method<&Subject::add, Subject>("add"));
    subject.methods.push_back(mp::detail::register_method<&Subject::count, Subject>("count"));
    made->add(std::move(subject));
    made->add(known<mp::detail::ServedDict<std::string, Point>>("dict"));
    made->add(known<mp::detail::ServedList<int>>("list"));
    made->add(known<mp::detail::ServedSemaphore>("semaphore"));
    made->add(mp::detail::register_function(
        "sum", [](int a, int b) { return std::int64_t{a} + b; },
        static_cast<std::function<std::int64_t(int, int)>*>(nullptr)));
    return made;
  }();
  return *one;
}

/// A client with an object of each type, which then sends `requests`: each a length of two bytes
/// and so many more.
inline void run(std::span<const std::byte> requests) {
  mp::manager::Shares shares;
  mp::manager::RemoteSession session(registry(), shares);
  const auto answer = [&](std::span<const std::byte> request) {
    mp::Decoder in(request);
    in.set_abroad();
    mp::BufferEncoder out;
    try {
      session.answer(in, out);
    } catch (...) {
      out.clear();
      mp::encode_exception(out, std::current_exception());
    }
  };
  for (const char* const type : {"Subject", "dict", "list"}) {
    mp::BufferEncoder make;
    mp::encode(make, mp::manager::RemoteRequest::object);
    mp::encode(make, std::vector<std::uint64_t>());
    mp::encode(make, std::string(type));
    mp::manager::encode_mark(make, mp::detail::arguments_mark<>());
    mp::manager::encode_mark(make, {});
    answer(make.bytes());
  }
  while (requests.size() >= 2) {
    const std::size_t size = std::min<std::size_t>(
        requests.size() - 2, std::to_integer<std::size_t>(requests[0]) |
                                 std::to_integer<std::size_t>(requests[1]) << 8U);
    answer(requests.subspan(2, size));
    requests = requests.subspan(2 + size);
  }
}

}  // namespace request_fuzz
