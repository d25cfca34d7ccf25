// A worker for job_server.cpp, on the same host or another one: job_worker KEYFILE HOST PORT

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "job_server_jobs.hpp"

namespace mp = procession;

std::uint64_t primes_below(std::uint64_t limit) {
  std::uint64_t count = 0;
  for (std::uint64_t n = 2; n < limit; ++n) {
    bool prime = true;
    for (std::uint64_t d = 2; d * d <= n && prime; ++d)
      prime = n % d != 0;
    count += prime ? 1 : 0;
  }
  return count;
}

std::string own_name() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return std::string(host) + ":" + std::to_string(::getpid());
}

int main(int argc, char** argv) {
  mp::init();
  if (argc != 4) {
    std::cerr << "usage: job_worker KEYFILE HOST PORT\n";
    return 2;
  }
  std::size_t done = 0;
  try {
    const mp::Address server{argv[2], static_cast<std::uint16_t>(std::atoi(argv[3]))};
    const mp::Manager manager = mp::Manager::connect(server, read_key(argv[1]));
    const auto jobs = manager.get<Jobs>("jobs");
    const auto results = manager.get<Results>("results");
    const auto present = manager.get<Workers>("workers");
    present.put(own_name());
    try {
      for (;; ++done) {
        const Job job = jobs.get();
        results.put({job.limit, primes_below(job.limit)});
      }
    } catch (const mp::ShutDown&) {
      std::cout << "did " << done << " job(s)" << std::endl;
    }
    try {
      present.task_done();
    } catch (const mp::EndOfFile&) {
      // The server has heard it, and has ended before it could answer.
    }
  } catch (const std::exception& error) {
    std::cerr << "job_worker: " << error.what() << '\n';
    return 1;
  }
}
