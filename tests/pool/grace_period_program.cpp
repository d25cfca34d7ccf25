// A program whose workers, daemons and manager heed no SIGTERM: `grace_period_program HOW FOLDER`,
// where HOW is terminate, destroy or end. Each writes the time into a file of the folder, again and
// again, until it is killed; one of the workers and the manager are stopped.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "procession/procession.hpp"

namespace mp = procession;
using namespace std::chrono_literals;

namespace {

constexpr int kWorkers = 4;
constexpr int kDaemons = 3;

void beat(const std::string& path, bool stop) {
  ::signal(SIGTERM, SIG_IGN);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  for (;;) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    if (::pwrite(file, &now, sizeof now, 0) != sizeof now) ::_exit(1);
    if (stop) ::raise(SIGSTOP);
    std::this_thread::sleep_for(10ms);
  }
}

int beat_in_task(const std::string& path, bool stop) {
  beat(path, stop);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  mp::init();
  if (argc != 3) return 2;
  const std::string how = argv[1];
  const std::string folder = argv[2];
  std::vector<std::string> files;
  // These are never destroyed: they are the library's to end.
  static auto& pool = *new std::optional<mp::Pool>(std::in_place, std::size_t{kWorkers});
  std::vector<mp::AsyncResult<int>> results;
  for (int i = 0; i < kWorkers; ++i) {
    files.push_back(folder + "/worker" + std::to_string(i));
    results.push_back(pool->apply_async(beat_in_task, files.back(), i == 1));
  }
  if (how == "end") {
    static auto& daemons = *new std::vector<mp::Process>;
    static auto& manager = *new mp::Manager;
    for (int i = 0; i < kDaemons; ++i) {
      files.push_back(folder + "/daemon" + std::to_string(i));
      daemons.emplace_back(mp::ProcessOptions{.daemon = true}, beat, files.back(), false);
      daemons.back().start();
    }
    ::kill(manager.pid(), SIGSTOP);
  }
  for (const std::string& file : files) {
    while (!std::filesystem::exists(file) || std::filesystem::file_size(file) == 0) {
      std::this_thread::sleep_for(1ms);
    }
  }
  if (how == "terminate") pool->terminate();
  if (how == "destroy") pool.reset();
  return 0;
}
