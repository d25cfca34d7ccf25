// A server of jobs for workers on other hosts: job_server KEYFILE [HOST [PORT [WORKERS]]]
//
// It waits for so many workers (job_worker.cpp, on any host) and puts jobs into a queue; they take
// them out and put results into another one. Both programs need the same key file.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "job_server_jobs.hpp"

namespace mp = procession;

int run(const mp::AuthKey& key, const mp::Address& where, std::size_t workers) {
  constexpr std::size_t kJobs = 12;
  mp::ManagerServer server(where, key);
  server.share<Jobs>("jobs");
  server.share<Results>("results");
  server.share<Workers>("workers");
  mp::Thread serving([&] { server.serve_forever(); });
  serving.start();
  std::cout << "listening on " << server.address().host << " " << server.address().port
            << std::endl;

  // The server's own program is a client like the others.
  const mp::Manager manager = mp::Manager::connect(server.address(), key);
  const auto jobs = manager.get<Jobs>("jobs");
  const auto results = manager.get<Results>("results");
  const auto present = manager.get<Workers>("workers");
  for (std::size_t i = 0; i < workers; ++i)
    std::cout << "here is " << present.get() << std::endl;
  for (std::uint64_t i = 1; i <= kJobs; ++i)
    jobs.put({1000 * i});
  std::vector<Result> all;
  while (all.size() < kJobs)
    all.push_back(results.get());
  jobs.shutdown();  // the workers end, and say so
  present.join(std::chrono::seconds(10));

  std::sort(all.begin(), all.end(),
            [](const Result& a, const Result& b) { return a.limit < b.limit; });
  for (const Result& one : all) {
    std::cout << "primes below " << one.limit << ": " << one.primes << '\n';
  }
  server.shutdown();
  serving.join();
  return 0;
}

int main(int argc, char** argv) {
  mp::init();
  if (argc < 2) {
    std::cerr << "usage: job_server KEYFILE [HOST [PORT [WORKERS]]]\n";
    return 2;
  }
  const mp::Address where{argc > 2 ? argv[2] : "127.0.0.1",
                          static_cast<std::uint16_t>(argc > 3 ? std::atoi(argv[3]) : 0)};
  try {
    return run(read_key(argv[1]), where, argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1);
  } catch (const std::exception& error) {
    std::cerr << "job_server: " << error.what() << '\n';
    return 1;
  }
}
