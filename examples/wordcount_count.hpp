// How words are counted: plain C++ and zlib, with nothing of the library in it.

#pragma once

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wordcount {

using Counts = std::unordered_map<std::string, std::uint64_t>;

struct FileError {
  std::string path;
  std::string reason;
  friend bool operator==(const FileError&, const FileError&) = default;
};

/// What was found in some files. It is what a worker sends back, hence a vector and no map.
struct Tally {
  std::uint64_t files = 0;   // text files, all read to their end
  std::uint64_t binary = 0;  // files that are no text; skipped
  std::uint64_t bytes = 0;   // of the text files, uncompressed
  std::vector<std::pair<std::string, std::uint64_t>> words;
  std::vector<FileError> errors;
};

/// A longer run of letters is no word: data without blanks would fill the memory.
inline constexpr std::size_t kLongestWord = 64;
/// A file with a zero byte within so many bytes is no text.
inline constexpr std::size_t kProbe = 8192;

/// What each byte is in a word: the letter in lower case, or 0. Bytes from 0x80 are parts of
/// letters in UTF-8.
inline constexpr std::array<char, 256> kLetters = [] {
  std::array<char, 256> letters{};
  for (int c = 'a'; c <= 'z'; ++c) {
    letters[static_cast<std::size_t>(c)] = static_cast<char>(c);
    letters[static_cast<std::size_t>(c - 'a' + 'A')] = static_cast<char>(c);
  }
  for (int c = 0x80; c <= 0xFF; ++c)
    letters[static_cast<std::size_t>(c)] = static_cast<char>(c);
  return letters;
}();

/// Cuts a text that arrives in pieces into words.
class WordReader {
 public:
  explicit WordReader(Counts& counts) : counts_(counts) {}

  void read(std::string_view piece) {
    for (const char c : piece) {
      const char letter = kLetters[static_cast<unsigned char>(c)];
      if (letter == 0) {
        end_word();
      } else if (word_.size() <= kLongestWord) {
        word_ += letter;
      }
    }
  }

  void end_word() {
    if (!word_.empty() && word_.size() <= kLongestWord) ++counts_[word_];
    word_.clear();
  }

 private:
  Counts& counts_;
  std::string word_;
};

/// Adds the words of one file to `tally` and `counts`; a file that cannot be read to its end, or
/// whose compressed data is damaged, adds nothing but an error.
inline void count_file(const std::string& path, Tally& tally, Counts& counts) {
  const auto fail = [&](std::string reason) { tally.errors.push_back({path, std::move(reason)}); };
  errno = 0;
  const gzFile file = gzopen(path.c_str(), "rbe");  // reads uncompressed files as they are
  if (file == nullptr) return fail(errno == 0 ? "no memory" : std::strerror(errno));
  gzbuffer(file, 128 * 1024);

  Counts found;
  WordReader words(found);
  std::vector<char> piece(64 * 1024);
  std::uint64_t bytes = 0;
  std::string reason;
  bool binary = false;
  if (path.ends_with(".gz") && gzdirect(file) == 1) reason = "not in gzip format";
  while (reason.empty() && !binary) {
    errno = 0;
    const int got = gzread(file, piece.data(), static_cast<unsigned>(piece.size()));
    int code = Z_OK;
    const std::string_view text = gzerror(file, &code);  // "PATH: what is wrong"
    if (got < 0 || code != Z_OK) {
      const std::size_t named = text.starts_with(path + ": ") ? path.size() + 2 : 0;
      reason = code == Z_ERRNO ? std::strerror(errno) : std::string(text.substr(named));
    }
    if (got <= 0 || code != Z_OK) break;
    const std::string_view now(piece.data(), static_cast<std::size_t>(got));
    binary = bytes == 0 && now.substr(0, kProbe).find('\0') != std::string_view::npos;
    words.read(now);
    bytes += now.size();
  }
  const int closed = gzclose_r(file);
  if (reason.empty() && !binary && closed == Z_BUF_ERROR) reason = "unexpected end of file";
  if (!reason.empty()) return fail(std::move(reason));
  if (binary) {
    ++tally.binary;
    return;
  }
  words.end_word();
  for (const auto& [word, times] : found)
    counts[word] += times;
  ++tally.files;
  tally.bytes += bytes;
}

/// The task: some files, counted together so that what goes back is small.
inline Tally count_files(const std::vector<std::string>& paths) {
  Tally tally;
  Counts counts;
  for (const std::string& path : paths)
    count_file(path, tally, counts);
  tally.words.assign(counts.begin(), counts.end());
  return tally;
}

/// The tallies of all batches in one.
struct Total {
  Tally sums;  // its words stay empty
  Counts counts;

  void add(const Tally& part) {
    sums.files += part.files;
    sums.binary += part.binary;
    sums.bytes += part.bytes;
    sums.errors.insert(sums.errors.end(), part.errors.begin(), part.errors.end());
    for (const auto& [word, times] : part.words)
      counts[word] += times;
  }

  /// The `most` most frequent words; words of the same frequency by their bytes.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> top(std::size_t most) const {
    std::vector<std::pair<std::string, std::uint64_t>> table(counts.begin(), counts.end());
    const std::size_t kept = std::min(most, table.size());
    const auto end = table.begin() + static_cast<std::ptrdiff_t>(kept);
    std::partial_sort(table.begin(), end, table.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    table.resize(kept);
    return table;
  }
};

}  // namespace wordcount
