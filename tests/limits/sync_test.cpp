// Numbers at their limits in semaphores, barriers and conditions, those of managers too.

#include <functional>

#include "support.hpp"

namespace limits_test {
namespace {

constexpr std::int64_t kMostPermits = 4'294'967'295;

template <class S>
std::vector<Row> semaphore_rows(const std::function<S(std::int64_t)>& make, bool bounded) {
  const auto with = [=](std::int64_t value) {
    return [=] { return make(value).value() == static_cast<std::uint64_t>(value); };
  };
  const auto release = [=](std::int64_t n) {
    return [=] {
      const S semaphore = make(1);
      semaphore.acquire();
      semaphore.release(n);
      return semaphore.value() == static_cast<std::uint64_t>(n);
    };
  };
  const Comes more = bounded ? Comes::refused : Comes::works;
  return {
      {"with -1", Comes::invalid, {"-1 permits", "4294967295"}, with(-1)},
      {"with the least int64",
       Comes::invalid,
       {"-9223372036854775808", "4294967295"},
       with(kLeastInt)},
      {"with 0", Comes::works, {}, with(0)},
      {"with 2^32-1", Comes::works, {}, with(kMostPermits)},
      {"with 2^32", Comes::invalid, {"4294967296", "4294967295"}, with(kMostPermits + 1)},
      {"with the most int64", Comes::invalid, {"9223372036854775807"}, with(kMostInt)},
      {"release(0)", Comes::invalid, {"0 permits", "1 or more"}, release(0)},
      {"release(-1)", Comes::invalid, {"-1 permits", "1 or more"}, release(-1)},
      {"release(the least int64)", Comes::invalid, {"1 or more"}, release(kLeastInt)},
      {"release(1)", Comes::works, {}, release(1)},
      {"release(2)", more, {}, release(2)},
      {"release(2^32-1)", more, {}, release(kMostPermits)},
      {"release(2^32)", Comes::refused, {"4294967296"}, release(kMostPermits + 1)},
      {"release(the most int64)", Comes::refused, {"9223372036854775807"}, release(kMostInt)},
  };
}

TEST(SyncLimits, Semaphores) {
  const mp::Manager manager;
  run(semaphore_rows<mp::Semaphore>([](std::int64_t n) { return mp::Semaphore(n); }, false));
  run(semaphore_rows<mp::BoundedSemaphore>([](std::int64_t n) { return mp::BoundedSemaphore(n); },
                                           true));
  run(semaphore_rows<mp::SemaphoreProxy>([&](std::int64_t n) { return manager.semaphore(n); },
                                         false));
  run(semaphore_rows<mp::BoundedSemaphoreProxy>(
      [&](std::int64_t n) { return manager.bounded_semaphore(n); }, true));
}

template <class Made>
std::vector<Row> barrier_rows(const std::function<Made(std::size_t)>& make) {
  const auto parties = [=](std::size_t n) {
    return [=] {
      const Made barrier = make(n);
      return barrier.parties() == n && barrier.n_waiting() == 0;
    };
  };
  return {
      {"Barrier(0)", Comes::invalid, {"0 parties"}, parties(0)},
      {"Barrier(1)", Comes::works, {}, [=] { return make(1).wait() == 0; }},
      {"Barrier(1000)", Comes::works, {}, parties(1000)},
      {"Barrier(2^20+1)",
       Comes::invalid,
       {"1048577", "1048576"},
       parties((std::size_t{1} << 20) + 1)},
      {"Barrier(2^57)",
       Comes::invalid,
       {"144115188075855872", "1048576"},
       parties(std::size_t{1} << 57)},
      {"Barrier(2^63)",
       Comes::invalid,
       {"9223372036854775808", "1048576"},
       parties(std::size_t{1} << 63)},
      {"Barrier(2^63+1)",
       Comes::invalid,
       {"9223372036854775809", "1048576"},
       parties((std::size_t{1} << 63) + 1)},
      {"Barrier(2^64-1)", Comes::invalid, {"18446744073709551615", "1048576"}, parties(kMost)},
  };
}

TEST(SyncLimits, Barriers) {
  const mp::Manager manager;
  run(barrier_rows<mp::Barrier>([](std::size_t n) { return mp::Barrier(n); }));
  run(barrier_rows<mp::BarrierProxy>([&](std::size_t n) { return manager.barrier(n); }));
}

TEST(SyncLimits, ConditionsNotify) {
  const mp::Manager manager;
  const mp::Condition condition;
  const auto proxy = manager.condition();
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 32, kMost}) {
    const std::scoped_lock guard(condition, proxy);
    condition.notify(n);
    proxy.notify(n);
  }
}

}  // namespace
}  // namespace limits_test
