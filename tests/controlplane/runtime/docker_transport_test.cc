// The Docker driver over TCP, with and without TLS.
#include <atomic>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/runtime/engine_client.h"
#include "docker_world.h"
#include "simulated_engine.h"
#include "test_certificates.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DockerTransport : public DockerWorld {
 protected:
  // What the engine at `host` is, asked with the certificates in `directory`.
  static absl::StatusOr<std::string> Describe(const std::string& host,
                                              const std::string& directory) {
    const auto endpoint = ChooseEngineEndpoint(host, [&](const char* name) -> std::string {
      if (std::string_view(name) == "DOCKER_TLS_VERIFY") return directory.empty() ? "" : "1";
      return std::string_view(name) == "DOCKER_CERT_PATH" ? directory : "";
    });
    if (!endpoint.ok()) return endpoint.status();
    return EngineClient(*endpoint, std::chrono::seconds(5)).Describe();
  }

  TemporaryDirectory files_;
  TemporaryDirectory other_files_;
};

TEST_F(DockerTransport, WorkersRunOverTcp) {
  SimulatedEngine engine(FakeEngine::Transport::kTcp);
  UseEngine(engine.wire().host());
  const auto worker = Start(*driver_, NewLaunch());
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_TRUE(Remove(*driver_, worker->handle).ok());
}

TEST_F(DockerTransport, WorkersRunOverTls) {
  const TestCertificates certificates(files_.path());
  SimulatedEngine engine(certificates);
  ::setenv("DOCKER_TLS_VERIFY", "1", 1);
  ::setenv("DOCKER_CERT_PATH", files_.path().c_str(), 1);
  UseEngine(engine.wire().host());
  ::unsetenv("DOCKER_TLS_VERIFY");
  ::unsetenv("DOCKER_CERT_PATH");
  std::atomic<int> changes{0};
  driver_->Watch([&] { ++changes; });
  EXPECT_TRUE(Eventually([&] { return changes > 0; })) << "events over TLS";
  const auto worker = Start(*driver_, NewLaunch());
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_TRUE(Remove(*driver_, worker->handle).ok());
  driver_->Watch(nullptr);
}

TEST_F(DockerTransport, AnEngineOfAnotherAuthorityIsNotTrusted) {
  const TestCertificates certificates(files_.path());
  const TestCertificates strangers(other_files_.path());
  SimulatedEngine engine(certificates);
  const absl::Status status = Describe(engine.wire().host(), strangers.directory).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr("no TLS"), HasSubstr("DOCKER_CERT_PATH")));
  EXPECT_EQ(engine.CallsOf(SimulatedEngine::Call::kVersion), 0);
}

TEST_F(DockerTransport, PlainTextToATlsPortSaysWhatIsWrong) {
  const TestCertificates certificates(files_.path());
  SimulatedEngine engine(certificates);
  const absl::Status status = Describe(engine.wire().host(), "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("DOCKER_TLS_VERIFY"));
}

TEST_F(DockerTransport, TlsToAPlainTextPortSaysWhatIsWrong) {
  const TestCertificates certificates(files_.path());
  SimulatedEngine engine(FakeEngine::Transport::kTcp);
  const absl::Status status = Describe(engine.wire().host(), certificates.directory).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("no TLS"));
}

}  // namespace
}  // namespace gocomet::controlplane
