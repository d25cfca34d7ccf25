// Which files there are to count, and how they are shared out.

#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "wordcount_count.hpp"

namespace wordcount {

struct Listing {
  struct File {
    std::string path;
    std::uint64_t work;  // about how many bytes there are to count
  };
  std::vector<File> files;
  std::vector<FileError> errors;
};

/// Adds the files below `folder`. A symbolic link is passed over, for its file is counted where it
/// lies, unless it leads nowhere: then it is an error, as is a folder that cannot be read.
inline void list_files(const std::filesystem::path& folder, Listing& listing) {
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  while (!failed && entry != std::filesystem::directory_iterator()) {
    std::error_code unknown;
    const std::filesystem::path& path = entry->path();
    const auto kind = entry->symlink_status(unknown).type();
    if (kind == std::filesystem::file_type::directory) {
      list_files(path, listing);
    } else if (kind == std::filesystem::file_type::regular) {
      const std::uintmax_t size = entry->file_size(unknown);
      const std::uint64_t expansion = path.extension() == ".gz" ? 4 : 1;
      listing.files.push_back({path.string(), unknown ? 1 : (size + 1) * expansion});
    } else if (kind == std::filesystem::file_type::symlink) {
      if (!std::filesystem::exists(path, unknown)) {
        listing.errors.push_back({path.string(), "symbolic link to nowhere"});
      }
    }
    entry.increment(failed);
  }
  if (failed) listing.errors.push_back({folder.string(), failed.message()});
}

/// Shares the files out into about `count` batches of like amounts of work, the heaviest first.
inline std::vector<std::vector<std::string>> make_batches(const Listing& listing,
                                                          std::size_t count) {
  std::vector<Listing::File> files = listing.files;
  std::ranges::sort(files, [](const auto& a, const auto& b) {
    return a.work != b.work ? a.work > b.work : a.path < b.path;
  });
  struct Batch {
    std::uint64_t work = 0;
    std::vector<std::string> paths;
  };
  const auto lighter = [](const Batch& a, const Batch& b) { return a.work > b.work; };
  std::vector<Batch> heap(
      std::clamp<std::size_t>(count, 1, std::max<std::size_t>(files.size(), 1)));
  for (const Listing::File& file : files) {  // each to the batch that has least
    std::ranges::pop_heap(heap, lighter);
    heap.back().work += file.work;
    heap.back().paths.push_back(file.path);
    std::ranges::push_heap(heap, lighter);
  }
  std::ranges::sort(heap, lighter);
  std::vector<std::vector<std::string>> batches;
  for (Batch& batch : heap)
    batches.push_back(std::move(batch.paths));
  return batches;
}

/// Reads every file once, so that neither of two runs that are compared pays for the disk.
inline void warm_up(const Listing& listing) {
  std::vector<char> piece(1 << 20);
  for (const Listing::File& file : listing.files) {
    std::ifstream stream(file.path, std::ios::binary);
    while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())))
      continue;
  }
}

}  // namespace wordcount
