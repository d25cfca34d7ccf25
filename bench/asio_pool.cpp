// Boost.Asio beside a pool: `asio_pool OPERATION`. Two threads, and a future of each result.

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdlib>
#include <future>
#include <utility>
#include <vector>

#include "contestant.hpp"

namespace {

int square(int x) { return x * x; }

/// All submitted, then all results.
void apply_async(std::size_t times) {
  static boost::asio::thread_pool pool(2);
  std::vector<std::future<int>> results;
  results.reserve(times);
  for (std::size_t i = 0; i < times; ++i) {
    std::packaged_task<int()> task([] { return square(3); });
    results.push_back(task.get_future());
    boost::asio::post(pool, std::move(task));
  }
  for (std::future<int>& result : results) {
    if (result.get() != 9) {
      std::abort();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return contestant::serve({{"apply_async", apply_async}}, argc > 1 ? argv[1] : "");
}
