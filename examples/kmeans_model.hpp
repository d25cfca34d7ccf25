// k-means, the arithmetic of it: plain C++ over memory that somebody else provides.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace kmeans {

inline constexpr std::size_t kDimensions = 8;

/// `count` points around `clusters` centres, made from a seed.
inline void make_points(std::span<float> data, std::size_t clusters, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> anywhere(-10, 10);
  std::normal_distribution<float> near(0, 1);
  std::vector<float> centres(clusters * kDimensions);
  std::ranges::generate(centres, [&] { return anywhere(random); });
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::size_t cluster = i / kDimensions % clusters;
    data[i] = centres[cluster * kDimensions + i % kDimensions] + near(random);
  }
}

/// What a part of the points says about the next centres. It is what a worker sends back.
struct Sums {
  std::vector<double> sums;           // of the points of each cluster
  std::vector<std::uint64_t> counts;  // of points
  double inertia = 0;                 // squared distances from the nearest centres

  void add(const Sums& other) {
    std::ranges::transform(sums, other.sums, sums.begin(), std::plus<>());
    std::ranges::transform(counts, other.counts, counts.begin(), std::plus<>());
    inertia += other.inertia;
  }
};

/// Gives each point to its nearest centre.
inline Sums assign(std::span<const float> points, std::span<const float> centres) {
  const std::size_t clusters = centres.size() / kDimensions;
  Sums result{std::vector<double>(centres.size()), std::vector<std::uint64_t>(clusters), 0};
  for (std::size_t at = 0; at < points.size(); at += kDimensions) {
    float best = std::numeric_limits<float>::max();
    std::size_t nearest = 0;
    for (std::size_t cluster = 0; cluster < clusters; ++cluster) {
      float distance = 0;
      for (std::size_t d = 0; d < kDimensions; ++d) {
        const float difference = points[at + d] - centres[cluster * kDimensions + d];
        distance += difference * difference;
      }
      if (distance < best) {
        best = distance;
        nearest = cluster;
      }
    }
    for (std::size_t d = 0; d < kDimensions; ++d)
      result.sums[nearest * kDimensions + d] += static_cast<double>(points[at + d]);
    ++result.counts[nearest];
    result.inertia += static_cast<double>(best);
  }
  return result;
}

/// The centres of what was assigned; a centre without points stays where it is.
inline void move_centres(std::span<float> centres, const Sums& total) {
  for (std::size_t i = 0; i < centres.size(); ++i) {
    if (const std::uint64_t count = total.counts[i / kDimensions]; count != 0) {
      centres[i] = static_cast<float>(total.sums[i] / static_cast<double>(count));
    }
  }
}

}  // namespace kmeans
