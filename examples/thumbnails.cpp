// thumbnails DIR OUT: makes small copies of all PNG and JPEG pictures below a folder. One that is
// broken fails alone and is named; the rest are done. A plain loop then does the same work once
// more, and both must have found the same.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <procession/procession.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "job_report.hpp"
#include "thumbnails_picture.hpp"

namespace mp = procession;
namespace fs = std::filesystem;
using thumbnails::Picture;

namespace {

constexpr std::size_t kSide = 128;

enum class Format { other, png, jpeg };

Format format_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".png") return Format::png;
  return ending == ".jpg" || ending == ".jpeg" ? Format::jpeg : Format::other;
}

/// A picture and where its small copy goes.
struct Order {
  std::string from;
  std::string to;
};

/// What is known of a small copy; of none, why not.
struct Made {
  std::size_t width = 0, height = 0;
  std::uint64_t sum = 0;  // of its bytes, to compare it by
  std::string error;
  friend bool operator==(const Made&, const Made&) = default;
};

/// The task. It throws for a picture that cannot be read.
Made make(const Order& order) {
  const bool png = format_of(order.from) == Format::png;
  const Picture small = thumbnails::shrink(
      png ? thumbnails::read_png(order.from) : thumbnails::read_jpeg(order.from), kSide);
  png ? thumbnails::write_png(small, order.to) : thumbnails::write_jpeg(small, order.to);
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : small.bytes)
    sum = sum * 31 + byte;
  return {small.width, small.height, sum, {}};
}

std::vector<Order> list(const fs::path& folder, const fs::path& out) {
  std::vector<std::string> pictures;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    std::error_code unknown;
    if (format_of(entry.path()) != Format::other && entry.is_regular_file(unknown)) {
      pictures.push_back(entry.path().string());
    }
  }
  std::ranges::sort(pictures);
  std::vector<Order> orders;
  for (const std::string& picture : pictures) {  // numbered: names may be there twice
    const std::string name =
        std::to_string(orders.size()) + "-" + fs::path(picture).filename().string();
    orders.push_back({picture, (out / name).string()});
  }
  return orders;
}

/// Runs `next` for each order; what it throws becomes a result that says so.
template <class Next>
std::vector<Made> collect(std::size_t count, Next next) {
  std::vector<Made> all;
  for (std::size_t i = 0; i < count; ++i) {
    try {
      all.push_back(next(i));
    } catch (const std::exception& error) {
      all.push_back({.error = error.what()});
    }
  }
  return all;
}

std::vector<Made> make_parallel(mp::Pool& pool, const std::vector<Order>& orders) {
  auto results = pool.imap(make, orders, {.progress = mp::ProgressBar("pictures")});
  return collect(orders.size(), [&](std::size_t /*number*/) { return results.next(); });
}

std::vector<Made> make_serial(const std::vector<Order>& orders) {
  return collect(orders.size(), [&](std::size_t number) { return make(orders[number]); });
}

int run(const fs::path& folder, const fs::path& out) {
  if (!fs::is_directory(folder)) {
    std::fprintf(stderr, "thumbnails: %s is no folder; name one with pictures\n", folder.c_str());
    return 2;
  }
  fs::create_directories(out);
  const std::vector<Order> orders = list(folder, out);
  mp::Pool pool;
  double parallel = 0, serial = 0;
  const auto made = job::timed(parallel, [&] { return make_parallel(pool, orders); });
  const auto twin = job::timed(serial, [&] { return make_serial(orders); });

  std::size_t broken = 0;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (!made[i].error.empty()) {
      ++broken;
      std::printf("broken: %s: %s\n", orders[i].from.c_str(), made[i].error.c_str());
    }
  }
  std::printf("%zu pictures made small, %zu broken\n", orders.size() - broken, broken);
  return job::report(pool.size(), parallel, serial, made == twin);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 3) {
    std::fputs("usage: thumbnails DIR OUT: small copies of the pictures below DIR, put into OUT\n",
               stderr);
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "thumbnails: %s\n", error.what());
    return 1;
  }
}
