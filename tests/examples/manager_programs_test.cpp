// The examples of managers, run as programs of their own, which must print what they promise.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "run_program.hpp"

namespace {

using Lines = std::vector<std::string>;

TEST(Examples, P21AnObjectIsServedToThoseWhoKnowTheKey) {
  const examples::Outcome outcome = examples::run("p21_served_object");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.lines(), (Lines{"balance: 10", "balance: 30", "refused", "balance: 42"}));
}

/// The two programs of the job server, which find each other by a port and a key file.
class JobServer : public testing::Test {
 protected:
  JobServer() {
    std::ofstream(key_) << "a key of this test's own";
    std::ofstream(wrong_key_) << "another one";
    const std::string command =
        "exec " + examples::path_of("job_server") + " " + key_ + " 127.0.0.1 0 2";
    server_ = ::popen(command.c_str(), "r");
    char word[32], host[64];
    if (server_ == nullptr || std::fscanf(server_, "%31s on %63s %d%*c", word, host, &port_) != 3) {
      ADD_FAILURE() << "job_server does not say where it listens";
    }
  }
  ~JobServer() override {
    std::filesystem::remove(key_);
    std::filesystem::remove(wrong_key_);
  }

  [[nodiscard]] std::future<examples::Outcome> work(const std::string& key) const {
    return std::async(std::launch::async, [=, port = std::to_string(port_)] {
      return examples::run("job_worker", {key, "127.0.0.1", port});
    });
  }

  std::string key_ = testing::TempDir() + "job_key_" + std::to_string(::getpid());
  std::string wrong_key_ = key_ + "_wrong";
  std::FILE* server_ = nullptr;
  int port_ = 0;
};

TEST_F(JobServer, WorkersOfOtherProgramsDoItsJobs) {
  const examples::Outcome stranger = work(wrong_key_).get();
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_EQ(stranger.out, "");
  auto one = work(key_);
  auto two = work(key_);
  Lines lines;
  char line[256];
  while (std::fgets(line, sizeof line, server_) != nullptr)
    lines.emplace_back(line);
  EXPECT_EQ(::pclose(server_), 0);
  ASSERT_EQ(lines.size(), 14);  // two of them say who works
  EXPECT_EQ(lines[2], "primes below 1000: 168\n");
  EXPECT_EQ(lines[11], "primes below 10000: 1229\n");
  for (auto* worker : {&one, &two}) {
    const examples::Outcome outcome = worker->get();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out.rfind("did ", 0), 0) << outcome.out;
  }
}

}  // namespace
