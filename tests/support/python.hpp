#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace procession {

/// A Python program that Debian's own interpreter runs beside the test.
class Python {
 public:
  explicit Python(const std::string& program) {
    static int made = 0;
    path_ = testing::TempDir() + "procession_test_" + std::to_string(::getpid()) + "_" +
            std::to_string(++made) + ".py";
    std::ofstream(path_) << program;
    output_ = ::popen(("exec /usr/bin/python3 " + path_ + " 2>&1").c_str(), "r");
  }
  Python(const Python&) = delete;
  Python& operator=(const Python&) = delete;
  ~Python() {
    if (output_ != nullptr) ::pclose(output_);
    std::remove(path_.c_str());
  }

  /// The next line of what it prints, without its end; waits for it.
  std::string line() {
    std::string text;
    for (int c = std::fgetc(output_); c != EOF && c != '\n'; c = std::fgetc(output_))
      text += static_cast<char>(c);
    return text;
  }

  /// The rest of what it prints, its errors too; waits for its end.
  std::string rest() {
    std::string text;
    std::array<char, 256> part{};
    while (std::fgets(part.data(), part.size(), output_) != nullptr)
      text += part.data();
    return text;
  }

 private:
  std::string path_;
  std::FILE* output_;
};

}  // namespace procession
