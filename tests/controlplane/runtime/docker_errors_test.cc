#include "controlplane/runtime/docker_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gocomet::controlplane {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Message(const std::string& text) { return nlohmann::json{{"message", text}}.dump(); }

TEST(EngineErrors, KeepTheEnginesWordsAndSayWhatWasTried) {
  EXPECT_THAT(ToStatus(500, Message("boom"), "do it").ToString(),
              HasSubstr("cannot do it: the Docker engine answers 500: boom"));
  EXPECT_THAT(ToStatus(500, "plain words", "do it").ToString(), HasSubstr("plain words"));
  EXPECT_THAT(ToStatus(500, "", "do it").ToString(), HasSubstr("without a word"));
  EXPECT_THAT(ToStatusInStream("boom", "build it").ToString(),
              HasSubstr("cannot build it: the Docker engine says: boom"));
}

TEST(EngineErrors, HaveTheCodeOfTheirHttpStatusWhereTheWordsAreUnknown) {
  const auto code = [](int http_status) { return ToStatus(http_status, "{}", "do it").code(); };
  EXPECT_EQ(code(400), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(401), StatusCode::kPermissionDenied);
  EXPECT_EQ(code(403), StatusCode::kPermissionDenied);
  EXPECT_EQ(code(404), StatusCode::kNotFound);
  EXPECT_EQ(code(409), StatusCode::kAlreadyExists);
  EXPECT_EQ(code(500), StatusCode::kInternal);
  EXPECT_EQ(code(503), StatusCode::kUnavailable);
}

struct Row {
  int http_status;
  const char* words;  // As an engine has said them.
  StatusCode code;
  const char* advice;
};

class EngineWords : public ::testing::TestWithParam<Row> {};

TEST_P(EngineWords, AreExplained) {
  const Row& row = GetParam();
  const absl::Status status = ToStatus(row.http_status, Message(row.words), "start web-0");
  EXPECT_EQ(status.code(), row.code) << status;
  EXPECT_THAT(status.ToString(),
              AllOf(HasSubstr("cannot start web-0"), HasSubstr(row.words), HasSubstr(row.advice)));
}

INSTANTIATE_TEST_SUITE_P(
    Known, EngineWords,
    ::testing::Values(
        Row{500,
            "driver failed programming external connectivity on endpoint web-0 (1): Bind for "
            "127.0.0.1:6000 failed: port is already allocated",
            StatusCode::kAlreadyExists, "change the service's port"},
        Row{500,
            "driver failed programming external connectivity on endpoint web-0 (1): Error starting "
            "userland proxy: listen tcp4 127.0.0.1:6000: bind: address already in use",
            StatusCode::kAlreadyExists, "end the program"},
        Row{500,
            "Error starting userland proxy: listen tcp4 9.9.9.9:6000: bind: cannot assign "
            "requested "
            "address",
            StatusCode::kInvalidArgument, "worker-bind"},
        Row{404,
            "pull access denied for nothing, repository does not exist or may require 'docker "
            "login': denied: requested access to the resource is denied",
            StatusCode::kNotFound, "check the image's name"},
        Row{404, "manifest for nginx:9.99 not found: manifest unknown: manifest unknown",
            StatusCode::kNotFound, "tag"},
        Row{404, "No such image: nginx:9.99", StatusCode::kNotFound, "check the image's name"},
        Row{404, "no matching manifest for linux/amd64 in the manifest list entries",
            StatusCode::kNotFound, "processor"},
        Row{429, "toomanyrequests: You have reached your pull rate limit",
            StatusCode::kResourceExhausted, "docker login"},
        Row{500, "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup x: no such host",
            StatusCode::kUnavailable, "cannot be resolved"},
        Row{500,
            "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            StatusCode::kUnavailable, "registry's name"},
        Row{400, "invalid reference format: repository name must be lowercase",
            StatusCode::kInvalidArgument, "lower case"},
        Row{400,
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to "
            "start container process: exec: \"serve\": executable file not found in $PATH: unknown",
            StatusCode::kInvalidArgument, "check the service's command"},
        Row{400,
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to "
            "start container process: exec: \"/serve\": permission denied: unknown",
            StatusCode::kInvalidArgument, "check its mode"},
        Row{400,
            "OCI runtime create failed: unable to start container process: exec: \"/serve\": stat "
            "/serve: no such file or directory: unknown",
            StatusCode::kInvalidArgument, "lacks the program"},
        Row{400, "exec /serve: exec format error", StatusCode::kInvalidArgument, "processor"},
        Row{400, "No command specified", StatusCode::kInvalidArgument,
            "give the service a command"},
        Row{400, "Minimum memory limit allowed is 6MB", StatusCode::kInvalidArgument, "raise"},
        Row{400, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            StatusCode::kInvalidArgument, "fewer processors"},
        Row{400, "invalid mount config for type \"bind\": bind source path does not exist: /data",
            StatusCode::kInvalidArgument, "engine's machine"},
        Row{400, "Duplicate mount point: /data", StatusCode::kInvalidArgument, "same target"},
        Row{400,
            "error mounting \"/a\" to rootfs at \"/b\": mkdir /b: read-only file system: unknown",
            StatusCode::kInvalidArgument, "must exist in the image"},
        Row{400, "unable to find user app: no matching entries in passwd file",
            StatusCode::kInvalidArgument, "does not know that user"},
        Row{500, "write /var/lib/docker/tmp/x: no space left on device",
            StatusCode::kResourceExhausted, "docker system df"},
        Row{500, "connection error: dial unix /run/containerd/containerd.sock: timeout",
            StatusCode::kUnavailable, "containerd does not answer"},
        Row{500, "context deadline exceeded", StatusCode::kUnavailable, "look at its log"},
        Row{409, "removal of container 1 is already in progress", StatusCode::kUnavailable,
            "try again"},
        Row{409, "can not get logs from container which is dead or marked for removal",
            StatusCode::kAlreadyExists, ""},
        Row{403, "authorization denied by plugin opa: no", StatusCode::kPermissionDenied,
            "who runs the engine"},
        Row{500, "iptables failed: iptables --wait -t nat -A DOCKER: No chain by that name",
            StatusCode::kUnavailable, "restart the engine"}));

}  // namespace
}  // namespace gocomet::controlplane
