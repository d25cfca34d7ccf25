#include <array>
#include <cstddef>

#include "heap/root_words.hpp"
#include "platform/random.hpp"
#include "procession/address.hpp"

namespace procession {

namespace {

using Key = std::array<std::byte, 32>;

}  // namespace

AuthKey current_authkey() {
  const Key& key = heap::shared_by_tree<Key>(&heap::RootWords::key,
                                             [](Key& made) { platform::fill_random(made); });
  return {key.begin(), key.end()};
}

}  // namespace procession
