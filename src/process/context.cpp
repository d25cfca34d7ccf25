#include "procession/context.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

#include "heap/block_encoder.hpp"
#include "process/captured_address.hpp"
#include "process/fork_server.hpp"
#include "procession/detail/process_core.hpp"
#include "procession/error.hpp"

namespace procession {

namespace {
// No mutex: a fork beside another thread would inherit it locked.
std::atomic<StartMethod> chosen{StartMethod::forkserver};
std::atomic<bool> set{false};
constexpr std::array kAll{StartMethod::forkserver, StartMethod::spawn, StartMethod::fork,
                          StartMethod::thread};
}  // namespace

std::vector<StartMethod> get_all_start_methods() { return {kAll.begin(), kAll.end()}; }

StartMethod get_start_method() { return chosen; }

StartMethod detail::checked_method(StartMethod method) {
  if (std::find(kAll.begin(), kAll.end(), method) == kAll.end()) {
    throw std::invalid_argument("the start method " + std::to_string(static_cast<int>(method)) +
                                " was asked for, and there is none of that number; name one of "
                                "StartMethod: forkserver, spawn, fork, thread");
  }
  return method;
}

void set_start_method(StartMethod method, bool force) {
  detail::checked_method(method);
  if (set.exchange(true) && !force) {
    throw ProcessError(
        std::string("set_start_method was asked for '") + to_string(method) + "', but '" +
        to_string(chosen) +
        "' was set before, and processes may run by it; set it once, or pass force = true");
  }
  chosen = method;
}

const char* to_string(StartMethod method) {
  switch (method) {
    case StartMethod::forkserver:
      return "forkserver";
    case StartMethod::spawn:
      return "spawn";
    case StartMethod::fork:
      return "fork";
    case StartMethod::thread:
      return "thread";
  }
  return "unknown";
}

void set_forkserver_preload(const Function<void()>& preload) {
  heap::ensure();
  heap::BlockEncoder encoder(256);
  detail::encode_process_call(encoder, preload);
  if (encoder.noted_address() != nullptr) {
    process::refuse_captured_address("the function given to set_forkserver_preload");
  }
  const std::size_t size = encoder.size();
  process::ForkServer::instance().set_preload(encoder.take_for_keeps(), size);
}

}  // namespace procession
