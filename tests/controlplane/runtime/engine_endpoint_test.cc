#include "controlplane/runtime/engine_endpoint.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/sha256_hex.h"
#include "common/base/text.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ChosenEngine : public ::testing::Test {
 protected:
  ChosenEngine() { variables_["HOME"] = home_.path(); }

  absl::StatusOr<EngineEndpoint> Choose(const std::string& docker_host = "") const {
    return ChooseEngineEndpoint(docker_host, [this](const char* name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::string() : found->second;
    });
  }

  std::string Chosen(const std::string& docker_host = "") const {
    const auto endpoint = Choose(docker_host);
    return endpoint.ok() ? endpoint->ToString() : endpoint.status().ToString();
  }

  void WriteSetting(const std::string& path, const std::string& content) const {
    const std::string full = Cat(home_.path(), "/.docker/", path);
    ASSERT_TRUE(MakeDirectories(full.substr(0, full.rfind('/')), 0700).ok());
    ASSERT_TRUE(WriteFileAtomically(full, content, 0600).ok());
  }

  void WriteContext(const std::string& name, const std::string& host,
                    const std::string& more = "") const {
    WriteSetting(
        Cat("contexts/meta/", Sha256Hex(name), "/meta.json"),
        Cat(R"({"Name":")", name, R"(","Endpoints":{"docker":{"Host":")", host, "\"", more, "}}}"));
  }

  void WriteTlsFiles(const std::string& directory) const {
    for (const char* file : {"ca.pem", "cert.pem", "key.pem"}) {
      WriteSetting(Cat(directory, "/", file), "PEM");
    }
  }

  TemporaryDirectory home_;
  std::map<std::string, std::string> variables_;
};

TEST_F(ChosenEngine, IsTheStandardSocketWhereNothingIsSaid) {
  EXPECT_EQ(Chosen(), "unix:///var/run/docker.sock");
}

TEST_F(ChosenEngine, IsThatOfDockerHost) {
  variables_["DOCKER_HOST"] = "unix:///run/user/1000/docker.sock";
  EXPECT_EQ(Chosen(), "unix:///run/user/1000/docker.sock");
  EXPECT_EQ(Chosen("tcp://127.0.0.1:2375"), "tcp://127.0.0.1:2375");
}

TEST_F(ChosenEngine, OverSshIsRefusedWithAWayThatWorks) {
  variables_["DOCKER_HOST"] = "ssh://me@host";
  const absl::Status status = Choose().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr("ssh://me@host"), HasSubstr("ssh -nNT -L")));
}

TEST_F(ChosenEngine, OverTlsHasTheFilesOfTheCertificatePath) {
  WriteTlsFiles("mine");
  variables_["DOCKER_HOST"] = "tcp://127.0.0.1:2376";
  variables_["DOCKER_TLS_VERIFY"] = "1";
  variables_["DOCKER_CERT_PATH"] = Cat(home_.path(), "/.docker/mine");
  const auto endpoint = Choose();
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  ASSERT_TRUE(endpoint->tls.has_value());
  EXPECT_EQ(endpoint->tls->authority_file, Cat(home_.path(), "/.docker/mine/ca.pem"));
  EXPECT_EQ(endpoint->tls->key_file, Cat(home_.path(), "/.docker/mine/key.pem"));
}

TEST_F(ChosenEngine, OverTlsNamesTheFileThatIsMissing) {
  variables_["DOCKER_HOST"] = "tcp://127.0.0.1:2376";
  variables_["DOCKER_TLS_VERIFY"] = "1";
  const absl::Status status = Choose().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr(Cat(home_.path(), "/.docker/ca.pem")),
                                       HasSubstr("DOCKER_CERT_PATH")));
}

TEST_F(ChosenEngine, IsNeverSpokenToOverTlsThatChecksNobody) {
  variables_["DOCKER_HOST"] = "tcp://127.0.0.1:2376";
  variables_["DOCKER_TLS"] = "1";
  EXPECT_THAT(Chosen(), HasSubstr("set DOCKER_TLS_VERIFY=1 instead"));
}

TEST_F(ChosenEngine, OnAUnixSocketNeedsNoTls) {
  variables_["DOCKER_TLS_VERIFY"] = "1";
  variables_["DOCKER_HOST"] = "unix:///var/run/docker.sock";
  EXPECT_EQ(Chosen(), "unix:///var/run/docker.sock");
}

TEST_F(ChosenEngine, IsThatOfTheCurrentContext) {
  WriteSetting("config.json", R"({"currentContext":"rootless"})");
  WriteContext("rootless", "unix:///run/user/1000/docker.sock");
  EXPECT_EQ(Chosen(), "unix:///run/user/1000/docker.sock");
}

TEST_F(ChosenEngine, IsThatOfTheContextInTheEnvironmentFirst) {
  WriteSetting("config.json", R"({"currentContext":"rootless"})");
  WriteContext("rootless", "unix:///run/user/1000/docker.sock");
  WriteContext("other", "unix:///other.sock");
  variables_["DOCKER_CONTEXT"] = "other";
  EXPECT_EQ(Chosen(), "unix:///other.sock");
  variables_["DOCKER_CONTEXT"] = "default";
  EXPECT_EQ(Chosen(), "unix:///var/run/docker.sock");
}

TEST_F(ChosenEngine, OfAContextBringsTheContextsCertificates) {
  WriteSetting("config.json", R"({"currentContext":"far"})");
  WriteContext("far", "tcp://10.0.0.1:2376", R"(,"SkipTLSVerify":false)");
  WriteTlsFiles(Cat("contexts/tls/", Sha256Hex("far"), "/docker"));
  const auto endpoint = Choose();
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  ASSERT_TRUE(endpoint->tls.has_value());
  EXPECT_THAT(endpoint->tls->certificate_file, HasSubstr("contexts/tls/"));
}

TEST_F(ChosenEngine, OfAContextThatSkipsItsChecksIsRefused) {
  WriteSetting("config.json", R"({"currentContext":"far"})");
  WriteContext("far", "tcp://10.0.0.1:2376", R"(,"SkipTLSVerify":true)");
  WriteTlsFiles(Cat("contexts/tls/", Sha256Hex("far"), "/docker"));
  EXPECT_THAT(Chosen(), HasSubstr("skips the check of the engine's certificate"));
}

TEST_F(ChosenEngine, OfAMissingContextIsAnErrorThatNamesIt) {
  variables_["DOCKER_CONTEXT"] = "nowhere";
  const absl::Status status = Choose().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr("'nowhere'"), HasSubstr("docker context ls")));
}

TEST_F(ChosenEngine, SettingsThatMakeNoSenseAreAnErrorThatNamesTheFile) {
  WriteSetting("config.json", "{");
  EXPECT_THAT(Chosen(), HasSubstr(Cat(home_.path(), "/.docker/config.json")));
  WriteSetting("config.json", R"({"currentContext":7})");
  EXPECT_THAT(Chosen(), HasSubstr("field currentContext"));
}

}  // namespace
}  // namespace gocomet::controlplane
