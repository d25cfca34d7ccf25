#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "log/progress_line.hpp"
#include "platform/report.hpp"
#include "platform/spawn.hpp"
#include "platform/terminal.hpp"
#include "platform/text_width.hpp"
#include "procession/log.hpp"

namespace procession {

/// What the copies of a bar share.
class ProgressBar::State {
 public:
  State(std::string_view label, int descriptor)
      : descriptor_(descriptor),
        terminal_(platform::is_terminal(descriptor)),
        label_(platform::printable(label)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// A job that an exception ended leaves its line behind; what is printed next begins a new one.
  ~State() {
    if (line_open_ && owner_ == platform::process_id()) write("\n");
  }

  void update(std::size_t done, std::size_t total) {
    const std::lock_guard guard(mutex_);
    const Clock::time_point now = Clock::now();
    done = std::min(done, total);
    if (seen_ && (finished() || done == 0 || total != total_)) begin_anew(now);
    if (seen_ && done < done_) return;
    seen_ = true;
    done_ = done;
    total_ = total;
    const log::Progress progress{label_, done, total, now - start_};
    if (terminal_) {
      redraw(progress, now);
    } else {
      print(progress);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPause{66};

  [[nodiscard]] bool finished() const { return done_ >= total_; }

  void begin_anew(Clock::time_point now) {
    if (line_open_) write("\n");
    line_open_ = false;
    seen_ = false;
    drawn_.reset();
    printed_ = 0;
    start_ = now;
  }

  void redraw(const log::Progress& progress, Clock::time_point now) {
    if (!progress.finished() && drawn_ && now - *drawn_ < kPause) return;
    drawn_ = now;
    // Back to the first column, the line, and away with what a longer line left to its right.
    std::string text =
        "\r" + log::bar_line(progress, platform::terminal_columns(descriptor_)) + "\x1b[K";
    line_open_ = !progress.finished();
    if (!line_open_) text += '\n';
    write(text);
  }

  /// A bar is about the work, and not the work: what there is no room for in so long is dropped.
  void write(std::string_view text) const noexcept {
    platform::write_text(descriptor_, text, std::chrono::milliseconds(100));
  }

  void print(const log::Progress& progress) {
    const unsigned tenths = log::percent(progress) / 10;
    if (tenths <= printed_) return;
    printed_ = tenths;
    write(log::plain_line(progress) + "\n");
  }

  std::mutex mutex_;
  const int descriptor_;
  const bool terminal_;
  const int owner_ = platform::process_id();
  const std::string label_;
  Clock::time_point start_ = Clock::now();
  std::optional<Clock::time_point> drawn_;  // on a terminal: when last
  bool line_open_ = false;                  // on a terminal: the cursor is at the end of the bar
  unsigned printed_ = 0;                    // elsewhere: the last tenth that was printed
  bool seen_ = false;                       // the fields below are of this job
  std::size_t done_ = 0;
  std::size_t total_ = 0;
};

// NOLINTNEXTLINE(*-unnecessary-value-param): what is kept of it is another text
ProgressBar::ProgressBar(std::string label, int descriptor)
    : state_(std::make_shared<State>(label, descriptor)) {}

void ProgressBar::operator()(std::size_t done, std::size_t total) const {
  state_->update(done, total);
}

}  // namespace procession
