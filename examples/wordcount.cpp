// wordcount [DIR]: the most frequent words of all text files below a folder, compressed ones too.
// The files are counted by a pool of processes, with a progress bar, and then once more by a plain
// loop in this process: both must give the same table, and the times tell what the pool was worth.

#include <procession/procession.hpp>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "job_report.hpp"
#include "wordcount_count.hpp"
#include "wordcount_files.hpp"

namespace mp = procession;
using wordcount::Total;
using Batches = std::vector<std::vector<std::string>>;

namespace {

constexpr const char* kUsage =
    "usage: wordcount [DIR] [--processes N] [--top N] [--serial-only | --parallel-only]\n"
    "  DIR              the folder to count, with all below it (/usr/share/doc)\n"
    "  --processes N    workers of the pool (as many as there are processors to use)\n"
    "  --top N          words of the table (20)\n"
    "  --serial-only    count in this process alone\n"
    "  --parallel-only  count with the pool alone\n";

struct Options {
  std::string folder = "/usr/share/doc";
  std::size_t processes = 0;
  std::size_t top = 20;
  bool serial = true;
  bool parallel = true;
};

/// Empty, with the reason on the standard error stream, when the words make no sense.
std::optional<Options> parse(int argc, char** argv) {
  Options options;
  bool folder_given = false;
  const auto refuse = [](const std::string& reason) {
    std::fprintf(stderr, "wordcount: %s\n%s", reason.c_str(), kUsage);
    return std::nullopt;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--processes" || word == "--top") {
      const std::string_view value = i + 1 < argc ? argv[++i] : "";
      std::size_t& number = word == "--top" ? options.top : options.processes;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size()) {
        return refuse(std::string(word) + " needs a number, not \"" + std::string(value) + "\"");
      }
    } else if (word == "--serial-only") {
      options.parallel = false;
    } else if (word == "--parallel-only") {
      options.serial = false;
    } else if (word.starts_with("-") || folder_given) {
      return refuse("what is \"" + std::string(word) + "\"?");
    } else {
      options.folder = word;
      folder_given = true;
    }
  }
  if (!options.serial && !options.parallel) return refuse("nothing is left to do");
  return options;
}

/// The pool's way; a batch is a task. With few batches little is merged here, with many none waits
/// for the last.
Total count_parallel(const Batches& batches, std::size_t processes) {
  mp::Pool pool(processes);
  mp::MapOptions options;
  options.chunksize = 1;
  options.progress = mp::ProgressBar("counting");
  Total total;
  for (const auto& tally : pool.map(wordcount::count_files, batches, options))
    total.add(tally);
  return total;
}

/// The same without the library.
Total count_serial(const Batches& batches) {
  Total total;
  for (const auto& batch : batches)
    total.add(wordcount::count_files(batch));
  return total;
}

bool same(const Total& a, const Total& b) {
  return a.counts == b.counts && a.sums.files == b.sums.files && a.sums.binary == b.sums.binary &&
         a.sums.bytes == b.sums.bytes && a.sums.errors == b.sums.errors;
}

void print(const Options& options, const wordcount::Listing& listing, const Total& total) {
  const wordcount::Tally& sums = total.sums;
  std::printf("%s: %llu text files, %llu bytes, %zu different words; %llu binary files skipped\n",
              options.folder.c_str(), static_cast<unsigned long long>(sums.files),
              static_cast<unsigned long long>(sums.bytes), total.counts.size(),
              static_cast<unsigned long long>(sums.binary));
  for (const auto& [word, times] : total.top(options.top)) {
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(times), word.c_str());
  }
  std::printf("%zu errors\n", listing.errors.size() + sums.errors.size());
  for (const auto* errors : {&listing.errors, &sums.errors}) {
    for (const auto& [path, reason] : *errors)
      std::printf("  %s: %s\n", path.c_str(), reason.c_str());
  }
}

int run(const Options& options) {
  std::error_code unknown;
  if (!std::filesystem::is_directory(options.folder, unknown)) {
    std::fprintf(stderr, "wordcount: %s is no folder; name one that holds text files\n",
                 options.folder.c_str());
    return 2;
  }
  wordcount::Listing listing;
  list_files(options.folder, listing);
  if (options.serial && options.parallel) warm_up(listing);
  const std::size_t processes = options.processes != 0 ? options.processes : mp::cpu_count();
  const Batches batches = make_batches(listing, std::max<std::size_t>(16, processes * 4));

  double parallel = 0, serial = 0;
  Total by_pool, by_loop;
  if (options.parallel) {
    by_pool = job::timed(parallel, [&] { return count_parallel(batches, processes); });
  }
  if (options.serial) by_loop = job::timed(serial, [&] { return count_serial(batches); });

  print(options, listing, options.parallel ? by_pool : by_loop);
  if (options.parallel) std::printf("%zu processes: %.2f s\n", processes, parallel);
  if (options.serial) std::printf("serial: %.2f s\n", serial);
  if (!options.serial || !options.parallel) return 0;
  const bool agreed = same(by_pool, by_loop);
  std::printf("speed-up: %.2f\nsame table: %s\n", serial / parallel, agreed ? "yes" : "NO");
  return agreed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const std::optional<Options> options = parse(argc, argv);
  if (!options) return 2;
  try {
    return run(*options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wordcount: %s\n", error.what());
    return 1;
  }
}
