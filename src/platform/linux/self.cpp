#include <errno.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "platform/image.hpp"
#include "platform/self.hpp"
#include "platform/valgrind.hpp"
#include "procession/error.hpp"

namespace procession::platform {

namespace {

constexpr const char* kExecuted = "/proc/self/exe";

/// The file that is mapped at an address; empty when /proc does not tell.
std::string mapped_file(std::uintptr_t address) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && address >= begin &&
        address < end) {
      const std::size_t path = line.find('/');
      return path == std::string::npos ? "" : line.substr(path);
    }
  }
  return "";
}

std::string executed_file() {
  std::array<char, 4096> path;
  const ssize_t length = ::readlink(kExecuted, path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "";
}

/// The loader's name and options, as this process was given them.
std::vector<std::string> loader_words() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  std::string word;
  bool value = false;  // the word belongs to the option before it
  while (std::getline(file, word, '\0')) {
    if (!words.empty() && !value && !word.starts_with("--")) {
      break;
    }
    value = !value && (word == "--library-path" || word == "--inhibit-rpath" || word == "--audit" ||
                       word == "--preload" || word == "--argv0" ||
                       word == "--glibc-hwcaps-prepend" || word == "--glibc-hwcaps-mask");
    words.push_back(word);
  }
  return words;
}

}  // namespace

SelfCommand self_command() {
  if (runs_under_valgrind()) {
    // What is executed there is valgrind itself, which answers for the program where it is asked.
    return {executed_file(), {program_invocation_name}};
  }
  // The loader that runs a program as its interpreter has an address; a static program has none.
  if (::getauxval(AT_BASE) == 0) {
    const std::string program = mapped_file(main_image().whole().begin);
    if (!program.empty() && program != executed_file()) {
      if (::access(program.c_str(), R_OK) != 0) {
        throw ProcessError(
            "cannot execute this program anew: it was started through the dynamic "
            "loader, and its file " +
            program +
            " is not there any more; leave it in its place while it runs, or start "
            "it without the loader");
      }
      SelfCommand command{kExecuted, loader_words()};
      command.words.push_back(program);
      return command;
    }
  }
  return {kExecuted, {program_invocation_name}};
}

}  // namespace procession::platform
