#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "heap/heap.hpp"
#include "platform/deadline.hpp"
#include "platform/descriptor.hpp"
#include "platform/own_mutex.hpp"
#include "platform/process_group.hpp"
#include "platform/wait.hpp"
#include "process/record.hpp"
#include "procession/context.hpp"
#include "procession/timeout.hpp"

namespace procession::detail {

/// An encoded call in the shared heap, held by this process.
struct EncodedCall {
  heap::Block block;
  std::size_t size = 0;
  bool captured_address = false;  ///< no child but one by fork or thread could run it
  std::vector<platform::Descriptor> descriptors;  ///< duplicates that the child is to be given
  bool own_stderr = false;  ///< the last of them is to be the standard error of a child process
};

/// What is said of a child before it starts.
struct ChildPlan {
  std::string name;
  std::string id_path;
  bool daemon = false;
  bool tied = false;  ///< ends with its parent, however that ends; daemons always do
  std::optional<StartMethod> method;
  heap::Offset keeps = 0;  ///< a block that lives as long as the child does
};

/// One child of this process, of any start method: new, started, ended, closed. Thread-safe. A
/// started child is known to the registry too, so that it outlives the user's object until it has
/// ended.
class Child : public std::enable_shared_from_this<Child> {
 public:
  Child(ChildPlan plan, EncodedCall call);
  virtual ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  static std::shared_ptr<Child> make(ChildPlan plan, EncodedCall call);

  void start();
  /// Starts all of them, side by side where the method allows it. When one fails, those before it
  /// run.
  static void start_all(std::span<const std::shared_ptr<Child>> children);
  bool join(Timeout timeout);
  void signal(platform::Signal signal);
  void close();

  [[nodiscard]] bool is_alive();
  [[nodiscard]] const std::string& name() const { return plan_.name; }
  void set_name(std::string name);
  [[nodiscard]] bool daemon() const { return plan_.daemon; }
  void set_daemon(bool daemon);
  /// Whether the end of this process ends it rather than waits for it.
  [[nodiscard]] bool terminated_at_exit() const { return plan_.daemon || plan_.tied; }
  [[nodiscard]] int pid() const;
  [[nodiscard]] std::optional<int> exitcode();
  /// Whether it has ended and somebody else took its exit status, which it told nobody.
  [[nodiscard]] bool exit_is_unknown();
  [[nodiscard]] int sentinel() const;
  /// Whether it was started, by this process.
  [[nodiscard]] bool started_here() const;
  [[nodiscard]] bool is_thread() const { return thread_.has_value(); }

  /// In the child of a fork: this object names somebody else's child from now on.
  void disown() noexcept;

 private:
  enum class Stage { created, started, closed };

  StartMethod check_start();
  /// `group` is what is known, or becomes known, of the group of those that end with this process.
  void prepare_process(std::optional<process::OwnGroup>& group);
  void launch_process(StartMethod method);
  void finish_process(int pid);
  void abandon_process() noexcept;
  void start_thread();
  void note_start(StartMethod method);
  /// Takes the exit code if it has ended. With the mutex held.
  bool look();
  /// The same of the process, waiting for its end if `wait`, and ends what it has started.
  platform::Reaped reap_child(int pid, bool wait);
  void kill_at_once(int pid);
  void terminate_process();
  void interrupt_process();
  void settle(int exitcode);
  [[nodiscard]] int code_of(const platform::Reaped& reaped);
  /// Whether this is a copy, in the child of a fork, of what the parent made and did not start: the
  /// holds are the parent's.
  [[nodiscard]] bool inherited() const { return maker_ != heap::self(); }
  void check_started(const char* what) const;
  void check_open(const char* what) const;

  mutable platform::OwnMutex mutex_;
  Stage stage_ = Stage::created;
  bool foreign_ = false;
  ChildPlan plan_;
  EncodedCall call_;
  heap::Offset maker_ = heap::self();
  int pid_ = 0;
  heap::HoldId record_ = 0;   ///< listed; reaped once the child has ended
  std::uint32_t serial_ = 0;  ///< of the record
  heap::Block record_kept_;   ///< so that it can be read until then, whoever reaps it
  platform::Descriptor end_;  ///< the sentinel
  process::OwnGroup own_group_ = process::OwnGroup::none;
  /// Without a group of its own: the programs that it had started when it was terminated.
  std::vector<platform::ProcessMark> started_;
  int waiting_ = 0;  ///< threads that poll it without the mutex: it stays open for them
  std::optional<int> exitcode_;
  bool exit_unknown_ = false;
  std::optional<std::thread> thread_;
  int thread_exitcode_ = 0;
};

}  // namespace procession::detail
