// Managers: calls of an object in the server's process, by this process or by several others.

#include <time.h>

#include <iostream>
#include <string>
#include <vector>

#include "ours.hpp"

namespace mp = procession;

namespace {

using Numbers = mp::DictProxy<std::string, int>;

void get(std::size_t times) {
  static const mp::Manager manager;
  static const Numbers dict = manager.dict<std::string, int>({{"key", 7}});
  for (std::size_t i = 0; i < times; ++i) {
    check(dict.get("key") == 7);
  }
}

void make_and_drop(std::size_t times) {
  static const mp::Manager manager;
  for (std::size_t i = 0; i < times; ++i) {
    static_cast<void>(manager.list<int>());
  }
}

void call(const Numbers& dict, const mp::Queue<std::size_t>& tasks, const mp::Queue<int>& done) {
  for (;;) {
    const std::size_t times = tasks.get();
    for (std::size_t i = 0; i < times; ++i) {
      check(dict.get("key") == 7);
    }
    done.put(1);
  }
}

/// Processor time that a process has had, in nanoseconds.
double used_by(int pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// So many client processes that call all at once; says at the end what a call took of the
/// processors.
class Crowd {
 public:
  explicit Crowd(std::size_t clients) : clients_(clients) {
    for (std::size_t i = 0; i < clients; ++i) {
      processes_.push_back(helper(call, dict_, tasks_, done_));
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    std::cerr << clients_ << " clients: a call takes " << (used_ - of_server_) / calls_ / 1e3
              << " us of processor time in its client and " << of_server_ / calls_ / 1e3
              << " us in the server\n";
  }

  void run(std::size_t times) {
    const double server = used_by(manager_.pid());
    const double before = used_by_all();
    const std::size_t each = (times + clients_ - 1) / clients_;
    for (std::size_t i = 0; i < clients_; ++i)
      tasks_.put(each);
    for (std::size_t i = 0; i < clients_; ++i)
      done_.get();
    used_ += used_by_all() - before;
    of_server_ += used_by(manager_.pid()) - server;
    calls_ += static_cast<double>(each * clients_);
  }

 private:
  double used_by_all() {
    double all = used_by(manager_.pid());
    for (const mp::Process& process : processes_)
      all += used_by(process.pid());
    return all;
  }

  std::size_t clients_;
  mp::Manager manager_;
  Numbers dict_ = manager_.dict<std::string, int>({{"key", 7}});
  mp::Queue<std::size_t> tasks_;
  mp::Queue<int> done_;
  std::vector<mp::Process> processes_;
  double used_ = 0;
  double of_server_ = 0;
  double calls_ = 0;
};

contestant::Operation crowd(std::size_t clients) {
  return [clients](std::size_t times) {
    static Crowd one(clients);
    one.run(times);
  };
}

}  // namespace

Operations manager_operations() {
  return {{"manager-get", get},
          {"manager-proxy", make_and_drop},
          {"manager-2", crowd(2)},
          {"manager-64", crowd(64)}};
}
