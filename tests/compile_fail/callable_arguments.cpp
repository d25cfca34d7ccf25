// expect: the target does not take these arguments
#include <procession/callable.hpp>

int length(const char* text);

int main() {
  procession::BufferEncoder encoder;
  procession::detail::encode_process_call(encoder, length, "text");
}
