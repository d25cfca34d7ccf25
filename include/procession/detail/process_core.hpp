#pragma once

#include <memory>
#include <optional>
#include <string>

#include "procession/codec.hpp"
#include "procession/timeout.hpp"

/// What the templates of process.hpp need of the compiled process floor.
namespace procession::detail {

class Child;
enum class ChildSignal { terminate, kill, interrupt };

/// A call on its way into the shared heap.
class ProcessBuilder {
 public:
  ProcessBuilder();
  ProcessBuilder(const ProcessBuilder&) = delete;
  ProcessBuilder& operator=(const ProcessBuilder&) = delete;
  ~ProcessBuilder();

  Encoder& encoder();
  std::shared_ptr<Child> finish(std::string name, std::optional<bool> daemon,
                                std::optional<int> start_method);

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

using ChildPtr = std::shared_ptr<Child>;

void start_child(const ChildPtr& child);
bool join_child(const ChildPtr& child, Timeout timeout);
void signal_child(const ChildPtr& child, ChildSignal signal);
void close_child(const ChildPtr& child);
bool child_is_alive(const ChildPtr& child);
const std::string& child_name(const ChildPtr& child);
void set_child_name(const ChildPtr& child, std::string name);
bool child_daemon(const ChildPtr& child);
void set_child_daemon(const ChildPtr& child, bool daemon);
int child_pid(const ChildPtr& child);
std::optional<int> child_exitcode(const ChildPtr& child);
int child_sentinel(const ChildPtr& child);
/// What ~Process does. Null: nothing.
void end_child(ChildPtr& child) noexcept;

}  // namespace procession::detail
