#include "platform/copy_check.hpp"

#include <string>

#include "platform/process_mark.hpp"
#include "platform/report.hpp"
#include "platform/spawn.hpp"

namespace procession::platform {

namespace {
std::atomic<std::uint64_t> known_mark{0};
}  // namespace

void know_process() { known_mark = mark_process(); }
bool is_known_process() { return process_mark().load() == known_mark; }

CopyCheck::CopyCheck() : original_(mark_process()), mark_(process_mark()) {}

void end_copy(const char* what) noexcept {
  try {
    write_to_stderr(
        "procession: process " + std::to_string(process_id()) + " is a copy that " + what +
        " made of its process, by fork(), daemon() or clone(), and has come out of it; " +
        "only the original goes on from here, and the copy ends, with exit status " +
        std::to_string(kCopyExit) + ": end it inside, by _exit() or exec()\n");
  } catch (...) {
    // Without memory, without a word.
  }
  exit_now(kCopyExit);
}

}  // namespace procession::platform
