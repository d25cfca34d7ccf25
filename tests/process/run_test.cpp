#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "process/support.hpp"

namespace process_test {
namespace {

using Running = EachMethod;
PROCESSION_BY_ALL_METHODS(Running);

struct Note {
  std::atomic<int> calls;
  std::atomic<int> pid;
  char text[256];

  void write(const std::string& said) {
    said.copy(text, sizeof text - 1);
    ++calls;
  }
};

void note(std::uint64_t place, const std::string& text) {
  board<Note>(place).pid = ::getpid();
  board<Note>(place).write(text);
}

TEST_P(Running, CallsTheTargetOnceInAProcessOfItsOwn) {
  const Board<Note> seen;
  mp::Process process({.start_method = GetParam()}, note, seen.place(), "hello");
  process.start();
  ASSERT_TRUE(process.join());
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_EQ(seen->calls, 1);
  EXPECT_STREQ(seen->text, "hello");
  EXPECT_EQ(seen->pid, process.pid());
  EXPECT_EQ(process.pid() == ::getpid(), GetParam() == StartMethod::thread);
}

TEST_P(Running, EncodesTheArgumentsWhenItIsMade) {
  const Board<Note> seen;
  std::string text = "as it was";
  mp::Process process({.start_method = GetParam()}, note, seen.place(), text);
  text = "changed later";
  process.start();
  process.join();
  EXPECT_STREQ(seen->text, "as it was");
}

void change(std::uint64_t place, std::string by_value, const std::string& by_const_reference,
            std::vector<int>& by_reference) {
  by_value += "+";
  by_reference.push_back(4);
  board<Note>(place).write(by_value + by_const_reference + std::to_string(by_reference.size()));
}

TEST_P(Running, BindsValuesAndReferencesToCopies) {
  const Board<Note> seen;
  const std::string first = "a";
  std::vector<int> numbers{1, 2, 3};
  EXPECT_EQ(exitcode_of(GetParam(), change, seen.place(), first, std::string("b"), numbers), 0);
  EXPECT_STREQ(seen->text, "a+b4");
  EXPECT_EQ(numbers.size(), 3U) << "the child's copy is its own";
}

struct Point {
  int x = 0;
  std::vector<std::string> names;
  std::optional<double> weight;
};

void describe(std::uint64_t place, const Point& point, const std::map<std::string, int>& ages,
              const std::variant<int, std::string>& either, const std::optional<int>& nothing) {
  board<Note>(place).write(std::to_string(point.x) + point.names.at(1) +
                           std::to_string(static_cast<int>(*point.weight)) +
                           std::to_string(ages.at("bob")) + std::get<std::string>(either) +
                           (nothing ? "some" : "none"));
}

TEST_P(Running, PassesAggregatesContainersAndVariants) {
  const Board<Note> seen;
  const Point point{1, {"p", "q"}, 2.0};
  const std::map<std::string, int> ages{{"bob", 3}, {"eve", 9}};
  const std::variant<int, std::string> either = "r";
  EXPECT_EQ(
      exitcode_of(GetParam(), describe, seen.place(), point, ages, either, std::optional<int>()),
      0);
  EXPECT_STREQ(seen->text, "1q23rnone");
}

void own(std::uint64_t place, std::unique_ptr<int> number) {
  board<Note>(place).write(std::to_string(*number));
}

TEST_P(Running, PassesWhatCanOnlyBeMoved) {
  const Board<Note> seen;
  mp::Process process({.start_method = GetParam()}, own, seen.place(), std::make_unique<int>(42));
  process.start();
  process.join();
  EXPECT_EQ(process.exitcode(), 0);
  EXPECT_STREQ(seen->text, "42");
}

TEST_P(Running, PassesLargeArguments) {
  const Board<Note> seen;
  const std::string large(std::size_t{8} << 20, 'x');
  EXPECT_EQ(exitcode_of(
                GetParam(),
                [](std::uint64_t place, const std::string& text) {
                  board<Note>(place).write(std::to_string(text.size()) + text.back());
                },
                seen.place(), large),
            0);
  EXPECT_STREQ(seen->text, "8388608x");
}

struct Adder {
  int base;
  void operator()(std::uint64_t place, int n) const {
    board<Note>(place).write(std::to_string(base + n));
  }
};

TEST_P(Running, TakesEveryKindOfCallable) {
  const auto result = [&](auto callable, const auto&... args) {
    const Board<Note> seen;
    EXPECT_EQ(exitcode_of(GetParam(), callable, seen.place(), args...), 0);
    return std::string(seen->text);
  };
  int captured = 39;
  ++captured;
  EXPECT_EQ(result([](std::uint64_t place) { board<Note>(place).write("lambda"); }), "lambda");
  EXPECT_EQ(result([captured](std::uint64_t place, int n) { Adder{captured}(place, n); }, 2), "42");
  EXPECT_EQ(result(Adder{1}, 2), "3");
  EXPECT_EQ(result(mp::Function<void(std::uint64_t, int)>(Adder{3}), 4), "7");

  const Board<Note> seen;
  EXPECT_EQ(exitcode_of(GetParam(), mp::bind(note, seen.place(), std::string("bound"))), 0);
  EXPECT_STREQ(seen->text, "bound");
}

int forty_two() { return 42; }

TEST_P(Running, TheNumberThatATargetReturnsIsNotTheExitCode) {
  EXPECT_EQ(exitcode_of(GetParam(), forty_two), 0);
}

void start_another(std::uint64_t place, StartMethod method, int depth) {
  if (depth == 0) {
    note(place, "deepest");
    return;
  }
  mp::Process inner({.start_method = method}, start_another, place, method, depth - 1);
  inner.start();
  inner.join();
  if (inner.exitcode() != 0) {
    throw std::runtime_error("an inner process failed");
  }
}

TEST_P(Running, ChildrenHaveChildren) {
  const Board<Note> seen;
  EXPECT_EQ(exitcode_of(GetParam(), start_another, seen.place(), GetParam(), 3), 0);
  EXPECT_STREQ(seen->text, "deepest");
}

void start_by_default(std::uint64_t place) {
  board<Note>(place).write(mp::to_string(mp::get_start_method()));
}

TEST_P(Running, ChildrenInheritTheDefaultMethod) {
  const Board<Note> seen;
  const StartMethod before = mp::get_start_method();
  mp::set_start_method(GetParam(), true);
  mp::Process process(start_by_default, seen.place());
  process.start();
  process.join();
  mp::set_start_method(before, true);
  EXPECT_STREQ(seen->text, mp::to_string(GetParam()));
  EXPECT_EQ(process.pid() == ::getpid(), GetParam() == StartMethod::thread)
      << "a Process without a method starts by the default";
}

TEST(StartMethods, ForkserverIsTheDefaultAndListedFirst) {
  EXPECT_EQ(mp::get_start_method(), StartMethod::forkserver);
  const auto all = mp::get_all_start_methods();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all.front(), StartMethod::forkserver);
}

TEST(StartMethods, TheDefaultIsChosenOnce) {
  // In a child of its own: the choice is for the whole program.
  EXPECT_EQ(exitcode_of(StartMethod::spawn,
                        [] {
                          mp::set_start_method(StartMethod::spawn, true);
                          const std::string text = text_of<mp::ProcessError>(
                              [] { mp::set_start_method(StartMethod::fork); });
                          const bool says = text.find("'fork'") != std::string::npos &&
                                            text.find("'spawn'") != std::string::npos &&
                                            text.find("force") != std::string::npos;
                          std::exit(says && mp::get_start_method() == StartMethod::spawn ? 7 : 1);
                        }),
            7);
}

}  // namespace
}  // namespace process_test
