#include "log/progress_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "platform/text_width.hpp"

namespace procession::log {

using platform::columns_of;
using platform::cut_to_columns;

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

/// What a label is cut to at least, where the rest of the line would leave it less.
constexpr std::size_t kShortLabel = 10;

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
  constexpr std::size_t kLongest = 40, kShortest = 5;
  const std::size_t room = columns > 1 ? columns - 1 : 1;
  std::array<char, 8> share{};
  std::snprintf(share.data(), share.size(), "%3u %%", percent(progress));
  const std::string parts = std::string(share.data()) + " " + std::to_string(progress.done) + "/" +
                            std::to_string(progress.total) + " " +
                            time_text(progress.elapsed.count());
  std::string tail = parts;
  if (!progress.finished() && progress.done > 0) {
    const double left = progress.elapsed.count() *
                        static_cast<double>(progress.total - progress.done) /
                        static_cast<double>(progress.done);
    tail += ", " + time_text(left) + " left";
  }
  std::string label = progress.label;
  std::size_t wide = columns_of(label);
  // One column is between label and bar, and one between bar and tail.
  const std::size_t taken = wide + (wide != 0 ? 1 : 0) + tail.size() + 3;
  std::string bar;
  if (room >= taken + kShortest) {
    const std::size_t length = std::min(kLongest, room - taken);
    const double part = progress.finished() ? 1.0
                                            : static_cast<double>(progress.done) /
                                                  static_cast<double>(progress.total);
    const auto full =
        std::min(length, static_cast<std::size_t>(part * static_cast<double>(length)));
    bar = "[" + std::string(full, '#') + std::string(length - full, '.') + "]";
  } else {
    // The label gives way to what is said of the job, as long as something is left of it that can
    // be read; else the end of that gives way; the percentage never does.
    const std::size_t beside = wide + 2 + tail.size() <= room ? wide
                               : room > parts.size() + 2 + kShortLabel
                                   ? room - parts.size() - 2
                                   : std::min(kShortLabel, room > 7 ? room - 7 : 0);
    cut_to_columns(label, beside);
    wide = columns_of(label);
  }
  std::string line = label + (wide != 0 ? " " : "") + bar + " " + tail;
  cut_to_columns(line, room);
  return line;
}

}  // namespace procession::log
