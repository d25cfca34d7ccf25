#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "procession/detail/call_invoke.hpp"
#include "procession/timeout.hpp"

/// What the templates of threading.hpp need of the compiled process floor.
namespace procession::detail {

class ThreadState;
using ThreadPtr = std::shared_ptr<ThreadState>;

/// What a thread is to run. It never leaves this process, so nothing of it is encoded.
class ThreadCall {
 public:
  ThreadCall() = default;
  ThreadCall(const ThreadCall&) = delete;
  ThreadCall& operator=(const ThreadCall&) = delete;
  virtual ~ThreadCall() = default;
  virtual void run() = 0;
};

template <class F, class... T>
class ThreadCallOf final : public ThreadCall {
 public:
  template <class G, class... Args>
  explicit ThreadCallOf(G&& target, Args&&... args)
      : target_(std::forward<G>(target)), arguments_(std::forward<Args>(args)...) {}

  void run() override { static_cast<void>(invoke_stored(target_, arguments_)); }

 private:
  F target_;
  std::tuple<T...> arguments_;
};

ThreadPtr make_thread(std::string name, std::optional<bool> daemon,
                      std::unique_ptr<ThreadCall> call);
void start_thread(const ThreadPtr& thread);
bool join_thread(const ThreadPtr& thread, Timeout timeout);
bool thread_is_alive(const ThreadPtr& thread);
const std::string& thread_name(const ThreadPtr& thread);
bool thread_daemon(const ThreadPtr& thread);
/// What ~Thread does. Null: nothing.
void end_thread(ThreadPtr& thread) noexcept;

}  // namespace procession::detail
