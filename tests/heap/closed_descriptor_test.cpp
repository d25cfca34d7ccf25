// A program that closes all its descriptors, as those do that become daemons, closes the heap's
// too; and the file that it opens next may get the number.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "heap/support.hpp"
#include "procession/error.hpp"

namespace procession::heap {
namespace {

constexpr std::size_t kLarge = std::size_t{24} << 20;

/// Takes and gives back more than the heap has in use, and says whether all of it is as it should.
bool uses_memory() {
  for (int i = 0; i < 3; ++i) {
    const Block first(kLarge, true, Region::users);
    const Block second(kLarge, true, Region::users);
    for (const Block* block : {&first, &second}) {
      std::byte* const bytes = at<std::byte>(block->offset());
      if (std::any_of(bytes, bytes + kLarge, [](std::byte b) { return b != std::byte{0}; })) {
        return false;
      }
      std::fill(bytes, bytes + kLarge, std::byte{0x55});
    }
  }
  return true;
}

/// Runs `f` in a copy of this process.
template <class F>
int exit_code_of(F f) {
  const int child = ::fork();
  if (child == 0) ::_exit(f());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

TEST(ClosedDescriptor, LeavesMemoryToUse) {
  ensure();
  EXPECT_EQ(exit_code_of([] {
              ::close_range(3, ~0U, 0);
              return uses_memory() ? 0 : 1;
            }),
            0);
}

TEST(ClosedDescriptor, WhoHasItsNumberKeepsHisBytes) {
  ensure();
  EXPECT_EQ(exit_code_of([] {
              const int number = descriptor();
              ::close_range(3, ~0U, 0);
              const int file = ::memfd_create("of the user", 0);
              const std::string bytes(std::size_t{64} << 20, 'u');
              if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
                  ::dup2(file, number) != number) {
                return 2;
              }
              if (!uses_memory()) return 1;
              std::string found(bytes.size() + 1, '\0');
              const ssize_t size = ::pread(file, found.data(), found.size(), 0);
              found.resize(static_cast<std::size_t>(size));
              return found == bytes ? 0 : 3;
            }),
            0);
}

TEST(ClosedDescriptor, NobodySeemsDeadWithoutIt) {
  ensure();
  const Offset record = self();
  EXPECT_EQ(exit_code_of([record] {
              const int number = descriptor();
              ::close_range(3, ~0U, 0);
              const int file = ::memfd_create("of the user", 0);
              if (::dup2(file, number) != number) return 2;
              set_self(root());
              try {
                static_cast<void>(alive(record));
              } catch (const ProcessError& error) {
                return std::string(error.what()).find("close_range") != std::string::npos ? 0 : 3;
              }
              return 1;
            }),
            0);
}

}  // namespace
}  // namespace procession::heap
