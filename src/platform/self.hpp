#pragma once

#include <string>
#include <vector>

namespace procession::platform {

/// How this program is executed anew: a file, and the words that stand before its arguments, the
/// program's name among them. They are more than one where the program was started through the
/// dynamic loader (`ld-linux.so ./program`), whose file /proc/self/exe is then.
struct SelfCommand {
  std::string file;
  std::vector<std::string> words;
};

/// Throws `ProcessError` where the program's own file is not to be found.
SelfCommand self_command();

}  // namespace procession::platform
