#include "platform/valgrind.hpp"

#include <cstdint>

namespace procession::platform {

// The request "RUNNING_ON_VALGRIND" of valgrind.h, which users need not have: instructions without
// an effect, in an order that no compiler makes and that valgrind looks for, take the address of a
// request and its arguments, and a default that is what comes back of them everywhere else.
bool runs_under_valgrind() noexcept {
  constexpr std::uint64_t kRunningOnValgrind = 0x1001;
  volatile std::uint64_t request[6] = {kRunningOnValgrind, 0, 0, 0, 0, 0};
  std::uint64_t answer = 0;
#if defined(__x86_64__)
  asm volatile(
      "rolq $3, %%rdi\n\t"
      "rolq $13, %%rdi\n\t"
      "rolq $61, %%rdi\n\t"
      "rolq $51, %%rdi\n\t"
      "xchgq %%rbx, %%rbx"
      : "=d"(answer)
      : "a"(&request[0]), "0"(answer)
      : "cc", "memory");
#elif defined(__aarch64__)
  register volatile std::uint64_t* arguments asm("x4") = request;
  register std::uint64_t result asm("x3") = answer;
  asm volatile(
      "ror x12, x12, #3\n\t"
      "ror x12, x12, #13\n\t"
      "ror x12, x12, #51\n\t"
      "ror x12, x12, #61\n\t"
      "orr x10, x10, x10"
      : "+r"(result)
      : "r"(arguments)
      : "cc", "memory", "x10", "x12");
  answer = result;
#else
  static_cast<void>(request);
#endif
  return answer != 0;
}

}  // namespace procession::platform
