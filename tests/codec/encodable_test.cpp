// What the concept Encodable says yes and no to.
#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string_view>
#include <thread>
#include <variant>

#include "codec_support.hpp"

namespace {

union Overlap {
  int number;
  float real;
};
struct Virtual {
  virtual ~Virtual() = default;
};
struct Sealed final {
  int number;
};
struct HasPointer {
  int number;
  int* pointer;
};
struct HasReference {
  int& reference;
};
struct HasConstReference {
  int number;
  const std::string& reference;
};
struct HasConst {
  const int number = 1;
};
struct HasBitField {
  std::string text;
  unsigned flag : 1;
};
struct Base {
  int number;
};
struct Derived : Base {
  int more;
};
class Private {
 public:
  Private() = default;
  int number() const { return number_; }

 private:
  int number_ = 0;
};
struct DerivedVector : std::vector<int> {
  int more;
};
struct Recursive {
  std::vector<Recursive> children;
  std::map<std::string, Recursive> named;
};
struct RecursiveBad {
  std::vector<RecursiveBad> children;
  void* pointer;
};
struct Deleter {
  void operator()(int*) const {}
};

template <class... T>
constexpr bool kAll = (mp::Encodable<T> && ...);
template <class... T>
constexpr bool kNone = (!mp::Encodable<T> && ...);

static_assert(kAll<bool, int, double, std::string, std::vector<bool>, std::deque<int>,
                   std::list<std::string>, std::set<int>, Sealed, Recursive, const int,
                   std::unique_ptr<Sealed>, int[3], std::tuple<int, std::string>, std::monostate>);

static_assert(kNone<void, int&, int*, const char*, std::nullptr_t, void (*)(), int Base::*>);
static_assert(kNone<std::string_view, std::span<int>, std::reference_wrapper<int>>);
static_assert(kNone<Overlap, Virtual, HasPointer, HasReference, HasConstReference, HasConst,
                    HasBitField, Derived, Private, DerivedVector, RecursiveBad>);
static_assert(kNone<std::thread, std::mutex, std::atomic<int>, std::shared_ptr<int>,
                    std::weak_ptr<int>, std::function<void()>>);
static_assert(kNone<std::unique_ptr<Virtual>, std::unique_ptr<int[]>, std::unique_ptr<const int>,
                    std::unique_ptr<int, Deleter>, std::unique_ptr<void, Deleter>>);
static_assert(kNone<std::vector<int*>, std::optional<Private>, std::variant<int, Private>,
                    std::map<int, int*>, std::map<Private, int>, std::array<Virtual, 2>,
                    std::pair<int, std::string_view>, std::vector<std::vector<std::mutex>>>);

TEST(Encodable, IsCheckedByTheCompiler) { SUCCEED(); }

}  // namespace
