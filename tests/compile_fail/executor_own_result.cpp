// expect: be_sent<procession::Future<int>
// expect: it is waited for in the process that asked for it: send the value
#include <procession/executor.hpp>

int main() {
  procession::ProcessPoolExecutor executor(1);
  auto future = executor.submit([] { return 1; });
  executor.submit([](procession::Future<int>& f) { return f.result(); }, future);
}
