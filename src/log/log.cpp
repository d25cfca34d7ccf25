#include "log/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <utility>

#include "log/level.hpp"
#include "platform/own_mutex.hpp"
#include "platform/report.hpp"
#include "platform/spawn.hpp"
#include "procession/detail/copy_guard.hpp"

namespace procession {
namespace log {
namespace {

/// All settings at one moment. They never change once published: a change publishes a new block,
/// and the old one stays, for a reader may be in it, and a lock to know better would be inherited
/// locked by a process forked at the wrong moment. Settings change a few times in a program's life.
struct Settings {
  LogLevel to_stderr = LogLevel::off;
  LogLevel to_sink = LogLevel::off;
  std::function<void(const LogRecord&)> sink;
  std::string process = "MainProcess";
  const Settings* previous = nullptr;  // keeps the old ones reachable, for leak checkers
};

std::atomic<const Settings*> current{nullptr};

/// Lines are about the work, and not the work: where standard error has no room for so long, the
/// rest of one is dropped.
void print(std::string_view line) noexcept {
  platform::write_text(platform::kStandardError, line, std::chrono::milliseconds(100));
}

/// What a program that set nothing has: the word in the environment.
LogLevel environment_level() {
  const char* word = std::getenv("PROCESSION_LOG");
  if (word == nullptr || *word == '\0') return LogLevel::error;
  if (const auto level = parse_level(word)) return *level;
  print(std::string("procession: PROCESSION_LOG is \"") + word +
        "\", which is no level; use debug, info, warning, error or off\n");
  return LogLevel::off;
}

const Settings& settings() {
  const Settings* found = current.load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  auto first = std::make_unique<Settings>();
  first->to_stderr = environment_level();
  if (current.compare_exchange_strong(found, first.get(), std::memory_order_acq_rel))
    return *first.release();
  return *found;
}

template <class Change>
void change_settings(Change change) {
  const Settings* old = &settings();
  auto changed = std::make_unique<Settings>(*old);
  do {
    *changed = *old;
    change(*changed);
    changed->previous = old;
  } while (!current.compare_exchange_weak(old, changed.get(), std::memory_order_acq_rel));
  changed.release();
}

thread_local constinit Elsewhere elsewhere = nullptr;
/// This thread is in a sink.
thread_local constinit bool in_sink = false;

void call_sink(const Settings& now, const LogRecord& record) {
  struct Inside {
    Inside() { in_sink = true; }
    ~Inside() { in_sink = false; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
  };
  const Inside inside;
  platform::expect_unlocked("a log sink");
  const detail::CopyGuard guard("a log's sink");
  now.sink(record);
}

void deliver(const LogRecord& record, bool to_sink) noexcept {
  try {
    const Settings& now = settings();
    if (record.level >= now.to_stderr) print(line_of(record));
    if (to_sink && !in_sink && record.level >= now.to_sink && now.sink) call_sink(now, record);
  } catch (...) {
    // A record is not worth a failed job.
  }
}

}  // namespace

bool enabled(LogLevel level) noexcept {
  try {
    const Settings& now = settings();
    return level != LogLevel::off && level >= std::min(now.to_stderr, now.to_sink);
  } catch (...) {
    return false;
  }
}

void write(LogLevel level, std::string message) noexcept {
  try {
    if (!enabled(level)) return;
    LogRecord record{level, settings().process, platform::process_id(),
                     std::chrono::system_clock::now(), std::move(message)};
    // Decided here: the sink may have returned when it is delivered.
    const bool to_sink = !in_sink;
    if (elsewhere != nullptr) {
      elsewhere([record = std::move(record), to_sink] { deliver(record, to_sink); });
    } else if (platform::has_own_lock()) {
      platform::when_unlocked([record = std::move(record), to_sink] { deliver(record, to_sink); });
    } else {
      deliver(record, to_sink);
    }
  } catch (...) {
    // A record is not worth a failed job.
  }
}

void deliver_by(Elsewhere other) noexcept { elsewhere = other; }

bool inside_sink() noexcept { return in_sink; }

void forget_thread() noexcept {
  elsewhere = nullptr;
  in_sink = false;
}

LogLevel stderr_level() noexcept {
  try {
    return settings().to_stderr;
  } catch (...) {
    return LogLevel::off;
  }
}

void begin_process(std::string name, LogLevel to_stderr) noexcept {
  try {
    // As a rule the block that the fork server has made for its copies: so that a new process need
    // not wake the allocator for it. Nobody reads it yet.
    static Settings* own = nullptr;
    if (own == nullptr || own != current.load(std::memory_order_acquire)) {
      change_settings([](Settings& next) { own = &next; });
    }
    own->process = std::move(name);
    own->to_stderr = to_stderr;
  } catch (...) {
    // As announced.
  }
}

}  // namespace log

void log_to_stderr(LogLevel level) {
  log::check_level(level);
  log::change_settings([&](log::Settings& next) { next.to_stderr = level; });
}

void set_log_sink(std::function<void(const LogRecord&)> sink, LogLevel level) {
  log::check_level(level);
  log::change_settings([&](log::Settings& next) {
    next.to_sink = sink ? level : LogLevel::off;
    next.sink = sink;
  });
}

}  // namespace procession
