// expect: be_sent<std::basic_string_view<char
// expect: it only looks at memory of this process
#include <procession/codec.hpp>

void receive(procession::Decoder& decoder, std::string_view& text) {
  procession::decode(decoder, text);
}
