#include "log/progress_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace procession::log {
namespace {

/// "9.5 s", "3:07", "2:05:00".
std::string time_text(double seconds) {
  std::array<char, 48> text{};
  if (seconds < 59.95) {
    std::snprintf(text.data(), text.size(), "%.1f s", std::max(seconds, 0.0));
    return text.data();
  }
  const auto whole = static_cast<long long>(std::min(seconds, 1e15));
  if (whole < 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", whole / 60, whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  }
  return text.data();
}

/// Drops the end of UTF-8 `text` so that at most `columns` characters stay.
void cut(std::string& text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts && seen++ == columns) {
      text.resize(i);
      return;
    }
  }
}

/// Characters of UTF-8 `text`.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

unsigned percent(const Progress& progress) {
  if (progress.finished()) return 100;
  const double part = static_cast<double>(progress.done) / static_cast<double>(progress.total);
  return std::min(99U, static_cast<unsigned>(part * 100.0 + 1e-9));
}

std::string plain_line(const Progress& progress) {
  const std::string label = progress.label.empty() ? "" : progress.label + ": ";
  return label + std::to_string(percent(progress)) + " % (" + std::to_string(progress.done) +
         " of " + std::to_string(progress.total) + "), " + time_text(progress.elapsed.count());
}

std::string bar_line(const Progress& progress, unsigned columns) {
  const std::string label = progress.label.empty() ? "" : progress.label + " ";
  std::array<char, 8> share{};
  std::snprintf(share.data(), share.size(), "%3u %%", percent(progress));
  std::string tail = std::string(" ") + share.data() + " " + std::to_string(progress.done) + "/" +
                     std::to_string(progress.total) + " " + time_text(progress.elapsed.count());
  if (!progress.finished() && progress.done > 0) {
    const double left = progress.elapsed.count() *
                        static_cast<double>(progress.total - progress.done) /
                        static_cast<double>(progress.done);
    tail += ", " + time_text(left) + " left";
  }
  constexpr std::size_t kLongest = 40, kShortest = 5;
  const std::size_t room = columns > 1 ? columns - 1 : 1;
  const std::size_t taken = width(label) + width(tail) + 2;
  std::string bar;
  if (room >= taken + kShortest) {
    const std::size_t length = std::min(kLongest, room - taken);
    const double part = progress.finished() ? 1.0
                                            : static_cast<double>(progress.done) /
                                                  static_cast<double>(progress.total);
    const auto full =
        std::min(length, static_cast<std::size_t>(part * static_cast<double>(length)));
    bar = "[" + std::string(full, '#') + std::string(length - full, '.') + "]";
  }
  std::string line = label + bar + tail;
  cut(line, room);
  return line;
}

}  // namespace procession::log
