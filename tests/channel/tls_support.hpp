// Certificates for tests of TLS.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "channel/listener_support.hpp"

namespace channel_test {

/// An authority, and certificates that it signed: for the host 127.0.0.1, for a host of another
/// name, and for a client; and one that nobody signed.
class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder() = testing::TempDir() + "procession_test_tls_" + std::to_string(::getpid()) + "/";
    std::filesystem::create_directory(folder());
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=authority"
        " -keyout ca.key -out ca.pem -days 2");
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger"
        " -addext subjectAltName=IP:127.0.0.1 -keyout stranger.key -out stranger.pem -days 2");
    sign("host", "IP:127.0.0.1");
    sign("other", "DNS:other.example");
    sign("client", "DNS:client.example");
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder()); }

  static mp::TlsOptions shown(const std::string& name) {
    return {.certificate = folder() + name + ".pem", .key = folder() + name + ".key"};
  }
  static mp::TlsOptions trusting() { return {.ca = folder() + "ca.pem"}; }

  /// What the client throws; and the listener lets nobody in.
  static std::string refusal(const mp::TlsOptions& listens, const mp::TlsOptions& connects) {
    mp::Listener listener(mp::Address{}, {.tls = listens});
    std::thread server([&] { EXPECT_THROW((void)listener.accept(), mp::ProcessError); });
    const std::string text = process_test::text_of<mp::AuthenticationError>(
        [&] { (void)mp::Client(listener.address(), {.tls = connects}); });
    listener.close();
    server.join();
    return text;
  }

  static std::pair<mp::Connection, mp::Connection> meet_by_tls(const mp::ListenerOptions& listens,
                                                               const mp::ClientOptions& connects) {
    mp::Listener listener(mp::Address{}, listens);
    auto accepted = std::async(std::launch::async, [&] { return listener.accept(); });
    mp::Connection client = mp::Client(listener.address(), connects);
    return {std::move(client), accepted.get()};
  }

  static std::string& folder() {
    static std::string one;
    return one;
  }

 private:
  static void run(const std::string& arguments) {
    const std::string command =
        "cd " + folder() + " && openssl " + arguments + " >openssl.log 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  static void sign(const std::string& name, const std::string& who) {
    run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " +
        name + ".key -out " + name + ".csr");
    std::ofstream(folder() + name + ".ext") << "subjectAltName=" << who << "\n";
    run("x509 -req -in " + name +
        ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile " + name + ".ext -out " +
        name + ".pem");
  }
};

}  // namespace channel_test
