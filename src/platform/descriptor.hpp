#pragma once

#include <utility>

namespace procession::platform {

/// Owns one open file descriptor and closes it. Every descriptor this library opens is
/// close-on-exec.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

/// A second, close-on-exec descriptor of the same open file, numbered `at_least` or higher.
Descriptor duplicate(int descriptor, int at_least = 0);

/// The same open file, renumbered to 3 or higher if it has the number of a standard descriptor:
/// where the program closed one of those, the next file to be opened gets its number, and would be
/// taken for it. Throws `ProcessError` when there is no other number left.
Descriptor clear_of_standard(Descriptor descriptor);

/// The working directory as a descriptor; empty when it cannot be opened (it was removed, say).
/// Throws `ProcessError` when there is no descriptor left.
Descriptor working_directory();

/// Makes `number` another descriptor of the same open file, one that is kept on exec. What it was
/// before is closed.
void replace(int number, int descriptor);

/// Opens /dev/null under those of the numbers 0 to 2 that are closed, so that no other file gets
/// them.
void fill_standard_descriptors();

/// Makes the folder behind the descriptor the working directory.
void change_directory(int folder);

/// Whether the number names an open file of this process.
bool is_open(int descriptor);

}  // namespace procession::platform
