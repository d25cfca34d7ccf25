// Managers between hosts, which network namespaces stand for.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// host_program in a namespace; what it says can be read line by line. It is killed with this.
class Program {
 public:
  Program(const std::string& host, const std::string& arguments) {
    int ends[2];
    if (::pipe(ends) != 0) return;
    const std::string command = "exec ip netns exec " + host + " " + PROCESSION_TEST_PROGRAMS_DIR +
                                "/host_program " + arguments;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::fclose(out_);
  }

  std::string line() {
    char text[1024] = "";
    if (std::fgets(text, sizeof text, out_) == nullptr) return "the end";
    std::string line = text;
    line.pop_back();
    return line;
  }

 private:
  pid_t pid_ = -1;
  std::FILE* out_ = nullptr;
};

/// Two hosts, 10.77.0.1 and 10.77.0.2, with a cable between them.
class Hosts : public testing::Test {
 protected:
  void SetUp() override {
    if (!run("ip -V")) GTEST_SKIP() << "there is no program `ip` (iproute2)";
    if (!run("ip netns add " + server_) || !run("ip netns add " + client_)) {
      GTEST_SKIP() << "network namespaces cannot be made here: that takes root and CAP_SYS_ADMIN";
    }
    const std::string name = std::to_string(::getpid() % 100000);
    const std::string a = "prc" + name + "a", b = "prc" + name + "b";
    if (!run("ip link add " + a + " netns " + server_ + " type veth peer name " + b + " netns " +
             client_)) {
      GTEST_SKIP() << "pairs of virtual network devices cannot be made here";
    }
    link_ = b;
    for (const auto& [host, device, address] :
         {std::tuple{server_, a, "10.77.0.1/24"}, std::tuple{client_, b, "10.77.0.2/24"}}) {
      ASSERT_TRUE(run("ip -n " + host + " addr add " + address + " dev " + device));
      ASSERT_TRUE(run("ip -n " + host + " link set " + device + " up"));
      ASSERT_TRUE(run("ip -n " + host + " link set lo up"));
    }
  }
  void TearDown() override {
    run("ip netns del " + server_);
    run("ip netns del " + client_);
  }

  std::string server_ = "procession_server_" + std::to_string(::getpid());
  std::string client_ = "procession_client_" + std::to_string(::getpid());
  std::string link_;
};

TEST_F(Hosts, TheLockOfAKilledProgramIsFree) {
  Program server(server_, "serve 10.77.0.1 7000");
  ASSERT_EQ(server.line(), "ready");
  {
    Program holder(client_, "hold 10.77.0.1 7000");
    ASSERT_EQ(holder.line(), "locked");
  }
  Program taker(server_, "take 10.77.0.1 7000");
  EXPECT_EQ(taker.line(), "scores 1");
  EXPECT_EQ(taker.line(), "left behind");
}

TEST_F(Hosts, AHostThatVanishesIsNoticed) {
  Program server(server_, "serve 10.77.0.1 7000");
  ASSERT_EQ(server.line(), "ready");
  Program holder(client_, "hold 10.77.0.1 7000");
  ASSERT_EQ(holder.line(), "locked");
  // No word of it gets through.
  ASSERT_TRUE(run("ip -n " + client_ + " link set " + link_ + " down"));
  Program taker(server_, "take 10.77.0.1 7000");
  EXPECT_EQ(taker.line(), "scores 1");
  EXPECT_EQ(taker.line(), "left behind");
}

TEST_F(Hosts, AServerThatVanishesIsAnErrorAndNoHang) {
  Program server(server_, "serve 10.77.0.1 7000");
  ASSERT_EQ(server.line(), "ready");
  Program holder(server_, "hold 10.77.0.1 7000");
  ASSERT_EQ(holder.line(), "locked");
  Program taker(client_, "take 10.77.0.1 7000");
  EXPECT_EQ(taker.line(), "scores 1");
  ASSERT_TRUE(run("ip -n " + client_ + " link set " + link_ + " down"));
  EXPECT_NE(taker.line().find("the connection ended before the reply"), std::string::npos);
}

}  // namespace
