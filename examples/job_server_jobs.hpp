// What job_server and job_worker say to each other.

#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <procession/procession.hpp>
#include <span>
#include <stdexcept>
#include <string>

struct Job {
  std::uint64_t limit = 0;
};

struct Result {
  std::uint64_t limit = 0;
  std::uint64_t primes = 0;
};

using Jobs = procession::QueueProxy<Job>;
using Results = procession::QueueProxy<Result>;
using Workers = procession::QueueProxy<std::string>;  ///< their names, when they come

/// The key is the contents of a file that only those may read who may use the server.
inline procession::AuthKey read_key(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) throw std::runtime_error(std::string("there is no key in ") + path);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}
