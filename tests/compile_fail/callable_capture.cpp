// expect: a closure is sent when its captures are trivially copyable: pass the others as arguments
// or use procession::bind
#include <procession/callable.hpp>

#include <string>

int main() {
  const std::string text = "text";
  procession::BufferEncoder encoder;
  procession::detail::encode_process_call(encoder, [text] { return text.size(); });
}
