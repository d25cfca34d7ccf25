// montecarlo [N]: pi from N random points, with a confidence interval. The points are cut into
// blocks, each with a generator of its own that is seeded by the block's number: so the answer does
// not depend on who runs which block, and the plain loop at the end must give the same.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <procession/procession.hpp>
#include <random>
#include <ranges>
#include <vector>

#include "job_report.hpp"

namespace mp = procession;

namespace {

constexpr std::size_t kBlock = 250'000;  // some milliseconds of work

/// How many of the block's points are inside the circle.
std::uint64_t inside(std::size_t block, std::size_t points) {
  const std::size_t first = block * kBlock;
  const std::size_t count = first + kBlock <= points ? kBlock : points - first;
  std::mt19937_64 random(block);
  const auto coordinate = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = coordinate();
    const double y = coordinate();
    hits += x * x + y * y < 1 ? 1 : 0;
  }
  return hits;
}

std::uint64_t sum_parallel(mp::Pool& pool, std::size_t blocks, std::size_t points) {
  std::uint64_t hits = 0;
  const auto one = [points](std::size_t block) { return inside(block, points); };
  for (const std::uint64_t some : pool.imap_unordered(one, std::views::iota(std::size_t{0}, blocks),
                                                      {.progress = mp::ProgressBar("points")})) {
    hits += some;
  }
  return hits;
}

std::uint64_t sum_serial(std::size_t blocks, std::size_t points) {
  std::uint64_t hits = 0;
  for (std::size_t block = 0; block < blocks; ++block)
    hits += inside(block, points);
  return hits;
}

int run(std::size_t points) {
  const std::size_t blocks = (points + kBlock - 1) / kBlock;
  mp::Pool pool;
  double parallel = 0, serial = 0;
  const std::uint64_t hits =
      job::timed(parallel, [&] { return sum_parallel(pool, blocks, points); });
  const std::uint64_t twin = job::timed(serial, [&] { return sum_serial(blocks, points); });

  const double share = static_cast<double>(hits) / static_cast<double>(points);
  const double error = 1.96 * std::sqrt(share * (1 - share) / static_cast<double>(points));
  std::printf("%zu points: pi is %.6f +- %.6f (95 %%)\n", points, 4 * share, 4 * error);
  return job::report(pool.size(), parallel, serial, hits == twin);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  std::size_t points = 50'000'000;
  if (argc > 2 || (argc == 2 && !job::read_number(argv[1], 1'000'000'000'000, points))) {
    std::fputs("usage: montecarlo [N]: N random points, 1 to 1000000000000 (50000000)\n", stderr);
    return 2;
  }
  try {
    return run(points);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "montecarlo: %s\n", error.what());
    return 1;
  }
}
