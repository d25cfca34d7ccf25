// What the requests to a manager of another program are fuzzed with, also replayed by the tests:
// whatever bytes a client sends, each request ends in a reply or in an exception for the client.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "manager/caller.hpp"
#include "manager/class_registry.hpp"
#include "manager/wire.hpp"
#include "procession/detail/served_methods.hpp"
#include "procession/error.hpp"

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

/// The requests for an object of each type.
inline const std::vector<Bytes>& makes() {
  static const std::vector<Bytes> all = [] {
    std::vector<Bytes> made;
    for (const char* const type : {"Subject", "dict", "list"}) {
      mp::BufferEncoder make;
      mp::encode(make, mp::manager::RemoteRequest::object);
      mp::encode(make, std::vector<std::uint64_t>());
      mp::encode(make, std::uint64_t{made.size() + 1});
      mp::encode(make, std::string(type));
      mp::manager::encode_mark(make, mp::detail::arguments_mark<>());
      mp::manager::encode_mark(make, {});
      made.emplace_back(make.bytes().begin(), make.bytes().end());
    }
    return made;
  }();
  return all;
}

inline const Bytes& count() {
  static const Bytes one = [] {
    mp::BufferEncoder made;
    mp::encode(made, mp::manager::RemoteRequest::count);
    mp::encode(made, std::vector<std::uint64_t>());
    return Bytes(made.bytes().begin(), made.bytes().end());
  }();
  return one;
}

inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "request: %s\n", what);
    std::abort();
  }
}

/// Few requests show what one may meet that another left behind.
constexpr int kMostRequests = 8;

/// A client with an object of each type, which then sends `requests`, each a length of two bytes
/// and so many more, until one fails; after that a good one must still be answered. To go on would
/// spend nearly all of a run on throws, of which a sanitizer makes as much as of a dozen requests.
/// For the same reason exceptions are not encoded, which does not depend on the request.
inline void run(std::span<const std::byte> requests) {
  mp::manager::Shares shares;
  mp::manager::RemoteSession session(registry(), shares);
  mp::BufferEncoder out;
  const auto answered = [&](std::span<const std::byte> request) {
    mp::Decoder in(request);
    in.set_untrusted();
    out.clear();
    try {
      session.answer(in, out);
      return true;
    } catch (const std::exception&) {
      return false;
    } catch (const mp::manager::CallerGone&) {
      return false;
    }
  };
  for (const Bytes& make : makes())
    require(answered(make), "an object was not made");
  bool going = true;
  for (int i = 0; i != kMostRequests && going && requests.size() >= 2; ++i) {
    const std::size_t size = std::min<std::size_t>(
        requests.size() - 2, std::to_integer<std::size_t>(requests[0]) |
                                 std::to_integer<std::size_t>(requests[1]) << 8U);
    going = answered(requests.subspan(2, size));
    requests = requests.subspan(2 + size);
  }
  require(answered(count()), "a good request was not answered");
}

}  // namespace request_fuzz
