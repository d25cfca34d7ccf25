#pragma once

#include <optional>
#include <string>

namespace procession::process {

/// Who a process is. The root is "MainProcess"; everyone else is told by its parent.
struct Identity {
  std::string name = "MainProcess";
  std::string
      id_path;  ///< "" at the root, then "2", "2:1": what children's default names are made of
  bool daemon = false;
  bool has_parent = false;
  std::string parent_name;
  int parent_pid = 0;
  bool parent_daemon = false;
};

/// That of the calling process or, by the `thread` method, of the calling thread.
const Identity& identity();

/// For the start of a child process: from now on this process is that one.
void set_identity(Identity identity);

/// For the length of a scope: the calling thread is a "process" of its own.
class ThreadIdentity {
 public:
  explicit ThreadIdentity(Identity identity);
  ThreadIdentity(const ThreadIdentity&) = delete;
  ThreadIdentity& operator=(const ThreadIdentity&) = delete;
  ~ThreadIdentity();

 private:
  Identity identity_;
  const Identity* outer_;
  unsigned children_ = 0;
  unsigned* outer_children_;
};

/// What the next child of the caller is called unless it is named: the id path ("2:1") behind its
/// default name.
std::string next_id_path();

}  // namespace procession::process
