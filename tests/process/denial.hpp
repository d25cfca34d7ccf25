#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>
#include <vector>

// A sandbox as those of container engines.
namespace process_test {

/// A system call that fails with a code; with `argument`, only where its second argument is that.
struct Denied {
  long call;
  int code;
  long argument = -1;
};

/// From now on these fail in this process and its children. False where the kernel cannot do it.
inline bool deny(std::initializer_list<Denied> calls) {
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  const auto add = [&](const sock_filter& one) { filter.push_back(one); };
  for (const Denied& denied : calls) {
    const auto number = static_cast<unsigned>(denied.call);
    const auto answer = SECCOMP_RET_ERRNO | static_cast<unsigned>(denied.code);
    if (denied.argument < 0) {
      add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
      add(BPF_STMT(BPF_RET | BPF_K, answer));
      continue;
    }
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(denied.argument), 0, 1));
    add(BPF_STMT(BPF_RET | BPF_K, answer));
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  }
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace process_test
