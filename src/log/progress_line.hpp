#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace procession::log {

/// A job at one moment.
struct Progress {
  std::string label;  ///< printable (platform/text_width.hpp)
  std::size_t done = 0;
  std::size_t total = 0;
  std::chrono::duration<double> elapsed{};

  [[nodiscard]] bool finished() const { return done >= total; }
};

/// Whole per cent, rounded down, so that 100 means all of it.
unsigned percent(const Progress& progress);

/// "label: 40 % (4 of 10), 1.2 s": for files and pipes.
std::string plain_line(const Progress& progress);

/// "label [####......]  40 % 4/10 1.2 s, 1.8 s left": for a terminal of `columns`, always shorter
/// than that so that the line never wraps; the bar gives way first, then the end of a long label,
/// then that of the line, and the percentage only where there is no room for anything else.
std::string bar_line(const Progress& progress, unsigned columns);

}  // namespace procession::log
