"""Files that each rule must flag, and files that none may."""

import tempfile
from pathlib import Path

from layout.rules import check_file

WORKPLACE = "/ro" + "ot/x"

# (path, text, the rule that must speak; None: nobody may)
CASES = [
    ("src/heap/a.cpp", '#include "platform/memory.hpp"\n#include "heap/b.hpp"\n', None),
    ("src/heap/a.cpp", '#include "procession/error.hpp"\n#include "procession/detail/x.hpp"\n', None),
    ("src/process/a.cpp", '#include "procession/log.hpp"\n#include <vector>\n#include <csignal>\n', None),
    ("src/platform/a.cpp", "#include <sys/mman.h>\n#include <unistd.h>\n", None),
    ("src/heap/a.cpp", '#include "process/x.hpp"\n', "floor"),
    ("src/platform/a.cpp", '#include "heap/heap.hpp"\n', "floor"),
    ("src/pool/a.cpp", '#include "manager/x.hpp"\n', "floor"),
    ("src/heap/a.cpp", '#include "procession/pool.hpp"\n', "floor"),
    ("src/heap/a.cpp", "#include <procession/process.hpp>\n", "floor"),
    ("src/cellar/a.cpp", "", "floor"),
    ("include/procession/nowhere.hpp", "", "floor"),
    ("include/procession/process.hpp", '#include "procession/pool.hpp"\n', "floor"),
    ("include/procession/pool.hpp", '#include "pool/ring.hpp"\n', "floor"),
    ("include/procession/detail/x.hpp", '#include "heap/heap.hpp"\n', "floor"),
    ("include/procession/pool.hpp", '#include "procession/process.hpp"\n#include <span>\n', None),
    ("src/heap/a.cpp", "#include <sys/mman.h>\n", "system-include"),
    ("src/pool/a.hpp", "#include <unistd.h>\n", "system-include"),
    ("src/pool/a.hpp", "#  include <linux/futex.h>\n", "system-include"),
    ("src/process/a.cpp", "#include <signal.h>\n", "system-include"),
    ("src/channel/socket.cpp", '#include "channel/authentication.hpp"\n', "cryptography"),
    ("src/channel/handshake.cpp", '#include "channel/authentication.hpp"\n', None),
    ("include/procession/pool.hpp", "#include <unistd.h>\n", "public-include"),
    ("include/procession/pool.hpp", "#include <boost/asio.hpp>\n", "public-include"),
    ("include/procession/detail/x.hpp", "#include <pthread.h>\n", "public-include"),
    ("include/procession/pool.hpp", '#include "json.hpp"\n', "public-include"),
    ("README.md", f"cd {WORKPLACE}\n", "workplace"),
    ("src/heap/a.cpp", f"// see {WORKPLACE}\n", "workplace"),
    ("README.md", "a/work/b and https://example.org/home/x\n", None),
    ("src/heap/a.cpp", "\n" * 301, "length"),
    ("src/heap/a.cpp", "\n" * 300, None),
]

# Declarations in a public header: those with a "MISSING" behind them must be flagged, no others.
DECLARATIONS = """
#pragma once
#define NOT_A_DECLARATION(x) \\
  void x();
namespace procession {
class Forward;
class Bare {  // MISSING
 public:
  void bare();  // MISSING
};
/// Documented.
class Good {
 public:
  /// Makes one; braces { in comments do not count.
  explicit Good(int n = int{1}) : n_{n}, m_{0} { n_ = 2; }
  Good(const Good&) = delete;
  ~Good() { n_ = 0; }
  /// Overloads may share.
  void f(int);
  void f(char);
  void f(long) { n_ = 1; }
  const char* what() const noexcept override;
  void g();  // MISSING
  int h() const;  ///< documented behind
  // Not a documenting comment.
  [[nodiscard]] int i() const { return n_; }  // MISSING
  template <class T>  // MISSING
    requires(sizeof(T) > 1)
  void j(T value = {}) {}
  /// Of two lines,
  /// and a template.
  template <class T, class... Args>
    requires(!std::same_as<std::remove_cvref_t<T>, Good> && (sizeof...(Args) > 0))
  explicit Good(T&& target, Args&&... args) : Good(1) {}
  friend bool operator==(const Good&, const Good&) = default;
  using Good::Good;
  using Alias = int;  // MISSING
  struct Inner {  // MISSING
    int field;
    void k();  // MISSING
  };
  bool operator<(const Good&) const;  // MISSING
 protected:
  void hidden();
 private:
  void secret();
  int n_;
  int m_ = 3;
};
/// An enum.
enum class Colour { red, green };
enum class Shape { round };  // MISSING
/// A concept.
template <class T>
concept Thing = requires(T t) { t.run(); };
template <class T>  // MISSING
concept Other = true;
inline constexpr int kNumber{4};
/// A function.
void with(int a, int b);

void without(int a);  // MISSING
template <class T>
void Good::defined_elsewhere(T) { int x = 0; }
template <>
struct Special<int> {};
namespace detail {
void internal();
struct Internal { void method(); };
}  // namespace detail
/// Last.
template <class T>
  requires Thing<T>
auto last(T value) -> decltype(value.run()) {
  return value.run();
}
/// Asks in place.
template <class P>
  requires requires(P& p) { { p() } -> Thing; p.run(); }
bool waits(P p) {
  return p();
}
template <class P>  // MISSING
  requires requires(P& p) { p(); }
bool asks(P p);
void after_last();  // MISSING
}  // namespace procession
"""


def run():
    failures = []
    with tempfile.TemporaryDirectory() as root:

        def findings(path, text):
            (Path(root) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(root) / path).write_text(text)
            return check_file(root, path)

        for path, text, rule in CASES:
            rules = {finding.rule for finding in findings(path, text)}
            if rules != ({rule} if rule else set()):
                failures.append(f"{path} with {text[:60]!r}: expected {rule}, got {rules or None}")
        fatal = [f.fatal for f in findings("src/heap/a.cpp", "\n" * 461)]
        if fatal != [True]:
            failures.append("a file of 461 lines must be an error")

        expected = {n for n, line in enumerate(DECLARATIONS.split("\n"), 1) if "// MISSING" in line}
        flagged = {f.line for f in findings("include/procession/pool.hpp", DECLARATIONS)}
        lines = DECLARATIONS.split("\n")
        for number in sorted(expected - flagged):
            failures.append(f"not flagged: {lines[number - 1].strip()}")
        for number in sorted(flagged - expected):
            failures.append(f"flagged for nothing: {lines[number - 1].strip()}")
    for failure in failures:
        print("check-layout --self-test:", failure)
    print(f"check-layout --self-test: {len(CASES) + 2} cases, {len(failures)} failures")
    return not failures
