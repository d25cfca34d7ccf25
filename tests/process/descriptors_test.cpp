#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "process/proc_files.hpp"
#include "process/program.hpp"
#include "process/support.hpp"

// What of a parent's descriptors, working directory and standard streams a child sees.
namespace process_test {
namespace {

using Descriptors = EachMethod;
INSTANTIATE_TEST_SUITE_P(By, Descriptors,
                         testing::Values(StartMethod::forkserver, StartMethod::spawn), method_name);

struct Listing {
  std::atomic<int> standard;
  std::atomic<int> heaps;
  std::atomic<int> lines;    // what a daemon watches its parent by
  std::atomic<int> brokers;  // where descriptors travel
  std::atomic<int> others;
  char text[2048];
};

void list_descriptors(std::uint64_t place) {
  auto& listing = board<Listing>(place);
  std::string text;
  for (const auto& [number, target] : open_descriptors()) {
    text += std::to_string(number) + " " + target + "\n";
    if (number < 3) {
      ++listing.standard;
    } else if (target.find("memfd:procession-heap") != std::string::npos) {
      ++listing.heaps;
    } else if (target.rfind("pipe:", 0) == 0) {
      ++listing.lines;
    } else if (target.rfind("socket:", 0) == 0) {
      ++listing.brokers;
    } else {
      ++listing.others;
    }
  }
  text.copy(listing.text, sizeof listing.text - 1);
}

void expect_clean(const Board<Listing>& listing, bool daemon) {
  EXPECT_EQ(listing->standard, 3) << listing->text;
  EXPECT_EQ(listing->heaps, 1) << listing->text;
  EXPECT_EQ(listing->lines, daemon ? 1 : 0) << listing->text;
  EXPECT_EQ(listing->brokers, 1) << listing->text;
  EXPECT_EQ(listing->others, 0) << listing->text;
}

/// An open descriptor that is not close-on-exec.
int careless_descriptor() { return ::memfd_create("the user's own", 0); }

TEST_P(Descriptors, OnlyTheStandardOnesTheHeapAndTheBrokerReachTheChild) {
  const int before = careless_descriptor();
  for (const bool daemon : {false, true}) {
    const Board<Listing> listing;
    mp::Process process({.daemon = daemon, .start_method = GetParam()}, list_descriptors,
                        listing.place());
    process.start();
    process.join();
    expect_clean(listing, daemon);
  }
  const int after = careless_descriptor();  // a fork server runs already
  {
    const Board<Listing> listing;
    EXPECT_EQ(exitcode_of(GetParam(), list_descriptors, listing.place()), 0);
    expect_clean(listing, false);
  }
  ::close(before);
  ::close(after);
}

TEST_P(Descriptors, Pain27_NoneLeaksWhenManyThreadsStart) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2; ++n) {
        const int own = careless_descriptor();
        const Board<Listing> listing;
        EXPECT_EQ(exitcode_of(GetParam(), list_descriptors, listing.place()), 0);
        expect_clean(listing, false);
        ::close(own);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

using Kept = EachMethod;
PROCESSION_BY_ALL_METHODS(Kept);

TEST_P(Kept, TheParentKeepsNoDescriptorOfTheEnded) {
  EXPECT_EQ(exitcode_of(GetParam(), [] {}), 0);  // what is made once is made now
  const auto before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(exitcode_of(GetParam(), [] {}), 0);
    mp::Process process = started(GetParam(), [] {});
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(Kept, EveryDescriptorOfTheLibraryIsClosedOnExec) {
  const Board<std::atomic<bool>> go;
  const auto before = open_descriptors();
  mp::Process process = started(
      GetParam(),
      [](std::uint64_t place) {
        wait_until([&] { return board<std::atomic<bool>>(place).load(); });
      },
      go.place());
  for (const auto& [number, target] : open_descriptors()) {
    if (number > 2 && before.count(number) == 0) {
      EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0) << number << " " << target;
    }
  }
  *go = true;
}

void write_folder(const std::string& path) {
  std::ofstream(path) << std::filesystem::current_path().string();
}

TEST_P(Kept, TheWorkingDirectoryIsThatOfTheStart) {
  EXPECT_EQ(exitcode_of(GetParam(), [] {}), 0);  // a fork server runs, in the old one
  const Folder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto code = exitcode_of(GetParam(), write_folder, folder.file("said"));
  std::filesystem::current_path(before);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text_of_file(folder.file("said")), std::filesystem::canonical(folder.path()).string());
}

void copy_stream() {
  char text[64] = {};
  const ssize_t size = ::read(0, text, sizeof text);
  if (size < 0 || ::write(1, text, static_cast<std::size_t>(size)) != size ||
      ::write(2, "said", 4) != 4) {
    throw std::runtime_error("a standard stream does not work");
  }
}

/// The standard streams are others for a scope.
class Redirected {
 public:
  Redirected(const std::string& in, const std::string& out, const std::string& err) {
    const int flags[] = {O_RDONLY, O_WRONLY | O_CREAT, O_WRONLY | O_CREAT};
    const std::string* const paths[] = {&in, &out, &err};
    for (int i = 0; i < 3; ++i) {
      before_[i] = ::fcntl(i, F_DUPFD_CLOEXEC, 100);
      const int file = ::open(paths[i]->c_str(), flags[i] | O_CLOEXEC, 0666);
      ::dup2(file, i);
      ::close(file);
    }
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;
  ~Redirected() {
    for (int i = 0; i < 3; ++i) {
      ::dup2(before_[i], i);
      ::close(before_[i]);
    }
  }

 private:
  int before_[3] = {};
};

TEST_P(Kept, TheStandardStreamsAreThoseOfTheStart) {
  EXPECT_EQ(exitcode_of(GetParam(), [] {}), 0);
  const Folder folder;
  std::ofstream(folder.file("in")) << "asked";
  std::optional<int> code;
  {
    const Redirected streams(folder.file("in"), folder.file("out"), folder.file("err"));
    code = exitcode_of(GetParam(), copy_stream);
  }
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text_of_file(folder.file("out")), "asked");
  EXPECT_EQ(text_of_file(folder.file("err")), "said");
}

/// Bit N: descriptor N is open.
void look_at_standard_descriptors(std::uint64_t place) {
  int open = 8;
  for (int i = 0; i < 3; ++i) {
    open |= ::fcntl(i, F_GETFD) >= 0 ? 1 << i : 0;
  }
  board<std::atomic<int>>(place) = open;
}

int seen_by_a_child(StartMethod method, bool daemon) {
  const Board<std::atomic<int>> seen;
  mp::Process process({.daemon = daemon, .start_method = method}, look_at_standard_descriptors,
                      seen.place());
  process.start();
  const bool clear = process.sentinel() > 2;
  process.join();
  return clear ? seen->load() : -1;
}

TEST_P(Kept, AClosedStandardStreamIsClosedInTheChildAndStaysSo) {
  const int in = ::fcntl(0, F_DUPFD_CLOEXEC, 100);
  const int out = ::fcntl(1, F_DUPFD_CLOEXEC, 100);
  std::fflush(stdout);
  std::vector<int> seen;
  ::close(0);
  ::close(1);
  mp::set_forkserver_preload([] {});  // the next fork server has them closed, too
  for (const bool daemon : {false, true}) {
    seen.push_back(seen_by_a_child(GetParam(), daemon));
  }
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::close(in);
  ::close(out);
  for (const int found : seen) {  // here, where a failure can be printed again
    EXPECT_EQ(found, 8 + 4);
  }
  EXPECT_EQ(seen_by_a_child(GetParam(), false), 8 + 7) << "opened again";
}

TEST_P(Kept, AStandardStreamClosedAfterTheServersStartIsClosedInTheChild) {
  EXPECT_EQ(exitcode_of(GetParam(), [] {}), 0);
  const int in = ::fcntl(0, F_DUPFD_CLOEXEC, 100);
  ::close(0);
  EXPECT_EQ(seen_by_a_child(GetParam(), false), 8 + 4 + 2);
  EXPECT_EQ(seen_by_a_child(GetParam(), true), 8 + 4 + 2);
  ::dup2(in, 0);
  ::close(in);
}

}  // namespace
}  // namespace process_test
