// Python's cpu_count() counted the machine's processors for decades, so that pools in containers
// started 64 workers for 2 processors' worth of time (CPython #80235, #149452). The group's quota
// counts here.

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fstream>
#include <memory>

#include "platform/control_group.hpp"
#include "platform/cpu.hpp"

namespace procession::platform {
namespace {

/// `quota` in each `period`, as whole processors. No quota and nonsense are "no limit".
std::optional<unsigned> whole_cpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  const long long cpus = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<unsigned>(std::min<long long>(cpus, UINT_MAX));
}

/// The limit that one group sets itself.
std::optional<unsigned> limit_of(const ControlGroup& group) {
  long long quota = 0, period = 100'000;
  if (group.version == ControlGroup::Version::v2) {
    std::ifstream file(group.folder + "/cpu.max");  // "max 100000" or "150000 100000"
    if (!(file >> quota)) return std::nullopt;
    if (!(file >> period)) period = 100'000;
  } else {
    std::ifstream quota_file(group.folder + "/cpu.cfs_quota_us");  // -1: none
    std::ifstream period_file(group.folder + "/cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
  }
  return whole_cpus(quota, period);
}

}  // namespace

unsigned affinity_cpus() noexcept {
  // The set must be as large as the kernel's, and nobody tells how large that is: double until it
  // fits.
  for (int room = 1024; room <= (1 << 22); room *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
        CPU_ALLOC(static_cast<std::size_t>(room)), [](cpu_set_t* s) { CPU_FREE(s); });
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
    if (sched_getaffinity(0, size, set.get()) == 0) {
      return static_cast<unsigned>(std::max(1, CPU_COUNT_S(size, set.get())));
    }
    if (errno != EINVAL) break;
  }
  return 1;
}

unsigned current_cpu() noexcept {
  const int cpu = ::sched_getcpu();
  return cpu < 0 ? 0 : static_cast<unsigned>(cpu);
}

std::optional<unsigned> quota_cpus(const std::string& root) {
  std::optional<unsigned> least;
  for (const ControlGroup& group : control_groups("cpu", root)) {
    const std::optional<unsigned> limit = limit_of(group);
    if (limit) least = std::min(*limit, least.value_or(*limit));
  }
  return least;
}

unsigned usable_cpus() {
  const unsigned allowed = affinity_cpus();
  return std::max(1U, std::min(allowed, quota_cpus().value_or(allowed)));
}

}  // namespace procession::platform
