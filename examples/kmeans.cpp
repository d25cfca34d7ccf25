// kmeans [POINTS]: trains a model, the centres of clusters, on points in a shared Array. The points
// are written once and never copied: a task is told which of them to look at, and sends back sums.
// The serial twin adds up the same sums in the same order, so that both models are equal to the
// bit.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <procession/procession.hpp>
#include <ranges>
#include <span>
#include <vector>

#include "job_report.hpp"
#include "kmeans_model.hpp"

namespace mp = procession;
using kmeans::Sums;

namespace {

constexpr std::size_t kClusters = 16;
constexpr std::size_t kIterations = 20;
constexpr std::size_t kParts = 64;  // the same for any number of workers
constexpr std::uint64_t kSeed = 7;

struct Model {
  std::vector<float> centres;
  double inertia = 0;
};

/// The points of one part.
std::span<const float> part_of(const mp::Array<float>& data, std::size_t part) {
  const std::size_t points = data.size() / kmeans::kDimensions;
  const std::size_t first = points * part / kParts;
  const std::size_t last = points * (part + 1) / kParts;
  return std::span<const float>(data.data(), data.size())
      .subspan(first * kmeans::kDimensions, (last - first) * kmeans::kDimensions);
}

/// The task. The data is a handle: what is sent is its name.
Sums assign_part(const mp::Array<float>& data, const std::vector<float>& centres,
                 std::size_t part) {
  return kmeans::assign(part_of(data, part), centres);
}

/// Trains; `assign_all` gives the sums of all parts for the centres it is called with.
template <class AssignAll>
Model train(const mp::Array<float>& data, AssignAll assign_all) {
  Model model{{data.begin(), data.begin() + kClusters * kmeans::kDimensions}, 0};
  for (std::size_t iteration = 0; iteration < kIterations; ++iteration) {
    const std::vector<Sums> parts = assign_all(model.centres);
    Sums total = parts.front();
    for (const Sums& part : parts | std::views::drop(1))
      total.add(part);
    kmeans::move_centres(model.centres, total);
    model.inertia = total.inertia;
  }
  return model;
}

Model train_parallel(mp::Pool& pool, const mp::Array<float>& data) {
  const mp::ProgressBar bar("training");
  std::size_t iteration = 0;
  return train(data, [&](const std::vector<float>& centres) {
    bar(iteration++, kIterations);
    auto parts = pool.map(mp::bind(assign_part, data, centres),
                          std::views::iota(std::size_t{0}, kParts), {.chunksize = 1});
    if (iteration == kIterations) bar(iteration, kIterations);
    return parts;
  });
}

Model train_serial(const mp::Array<float>& data) {
  return train(data, [&](const std::vector<float>& centres) {
    std::vector<Sums> parts;
    for (std::size_t part = 0; part < kParts; ++part)
      parts.push_back(assign_part(data, centres, part));
    return parts;
  });
}

int run(std::size_t points) {
  const mp::Array<float> data(points * kmeans::kDimensions);
  kmeans::make_points({data.data(), data.size()}, kClusters, kSeed);
  mp::Pool pool;
  double parallel = 0, serial = 0;
  const Model model = job::timed(parallel, [&] { return train_parallel(pool, data); });
  const Model twin = job::timed(serial, [&] { return train_serial(data); });
  std::printf(
      "%zu points of %zu dimensions, %zu clusters, %zu iterations: mean squared distance %.6f\n",
      points, kmeans::kDimensions, kClusters, kIterations,
      model.inertia / static_cast<double>(points));
  return job::report(pool.size(), parallel, serial,
                     model.centres == twin.centres && model.inertia == twin.inertia);
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  std::size_t points = 500'000;
  if (argc > 2 || (argc == 2 && !job::read_number(argv[1], 100'000'000, points)) ||
      points < kClusters) {
    std::fputs("usage: kmeans [POINTS]: how many points to make, 16 to 100000000 (500000)\n",
               stderr);
    return 2;
  }
  try {
    return run(points);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kmeans: %s\n", error.what());
    return 1;
  }
}
