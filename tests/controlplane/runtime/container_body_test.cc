#include "controlplane/runtime/container_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gocomet::controlplane {
namespace {

using Json = nlohmann::json;

ContainerSpec Spec() {
  ContainerSpec spec;
  spec.launch.instance = "abcdefabcdef";
  spec.launch.service = "worker";
  spec.launch.ordinal = 2;
  spec.launch.port = 6002;
  spec.launch.bind_address = "127.0.0.1";
  spec.launch.template_hash = "t1";
  spec.launch.demo = {std::chrono::milliseconds(250), 7};
  spec.launch.stop_grace = std::chrono::milliseconds(1500);
  spec.cluster = "c1";
  spec.image = "gocomet-worker:1";
  spec.user = "65532:65532";
  spec.worker_directory = "/state/workers/abcdefabcdef";
  spec.report_directory = "/state/sockets/report";
  return spec;
}

// With an image of the user's.
ContainerSpec ImageSpec() {
  ContainerSpec spec = Spec();
  spec.image = "example/web:1";
  spec.launch.service = "web";
  spec.launch.workload.image = "example/web:1";
  spec.launch.workload.container_port = 3000;
  return spec;
}

Json BodyOf(const ContainerSpec& spec) { return Json::parse(CreateContainerBody(spec)); }

TEST(ContainerBody, ContainersHaveNamesAndLabelsThatTellClustersApart) {
  EXPECT_EQ(ContainerName(Spec()), "gocomet-worker-2-c1");
  EXPECT_EQ(ContainerLabels(Spec()),
            (std::map<std::string, std::string>{{"gocomet.cluster", "c1"},
                                                {"gocomet.service", "worker"},
                                                {"gocomet.ordinal", "2"},
                                                {"gocomet.instance", "abcdefabcdef"},
                                                {"gocomet.template", "t1"},
                                                {"gocomet.port", "6002"},
                                                {"gocomet.workload", "demo"}}));
}

TEST(ContainerBody, WorkersHaveNoPrivileges) {
  const Json host = BodyOf(Spec())["HostConfig"];
  EXPECT_EQ(host["CapDrop"], Json::array({"ALL"}));
  EXPECT_EQ(host["SecurityOpt"], Json::array({"no-new-privileges"}));
  EXPECT_EQ(host["ReadonlyRootfs"], true);
  EXPECT_GT(host["PidsLimit"], 0);
  EXPECT_EQ(host["RestartPolicy"]["Name"], "no");
  EXPECT_EQ(host["LogConfig"]["Config"]["max-size"], "10m");
  EXPECT_EQ(BodyOf(Spec())["User"], "65532:65532");
}

TEST(ContainerBody, TheWorkerIsPublishedAndReportsThroughItsMounts) {
  const Json body = BodyOf(Spec());
  const Json binding = body["HostConfig"]["PortBindings"]["8080/tcp"];
  EXPECT_EQ(binding, Json::parse(R"([{"HostIp":"127.0.0.1","HostPort":"6002"}])"));
  const Json mounts = body["HostConfig"]["Mounts"];
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0]["Source"], "/state/workers/abcdefabcdef");
  EXPECT_EQ(mounts[0]["ReadOnly"], false);
  EXPECT_EQ(mounts[1]["Target"], "/run/gocomet-report");
  EXPECT_EQ(mounts[1]["ReadOnly"], true);
  EXPECT_EQ(body["StopTimeout"], 2);
  EXPECT_EQ(body["Cmd"],
            Json::array({"--port", "8080", "--bind", "0.0.0.0", "--unix-socket",
                         "/run/gocomet/http.sock", "--instance", "abcdefabcdef", "--control-plane",
                         "unix:/run/gocomet-report/report.sock", "--token-file",
                         "/run/gocomet/token", "--avg-delay", "250", "--failure", "7"}));
}

TEST(ContainerBody, AnImageRunsWhatItSaysItself) {
  const Json body = BodyOf(ImageSpec());
  EXPECT_EQ(body["Image"], "example/web:1");
  for (const char* ours : {"Entrypoint", "Cmd", "User", "WorkingDir"}) {
    EXPECT_FALSE(body.contains(ours)) << ours;
  }
  EXPECT_EQ(body["Labels"]["gocomet.workload"], "image");
  EXPECT_EQ(body["HostConfig"]["Mounts"], Json::array()) << "it gets no token and no socket";
}

TEST(ContainerBody, ItsOwnPortIsPublishedAtTheWorkers) {
  const Json body = BodyOf(ImageSpec());
  EXPECT_EQ(body["HostConfig"]["PortBindings"],
            Json::parse(R"({"3000/tcp":[{"HostIp":"127.0.0.1","HostPort":"6002"}]})"));
  EXPECT_EQ(body["ExposedPorts"], Json::parse(R"({"3000/tcp":{}})"));
}

TEST(ContainerBody, ACommandStandsInPlaceOfTheImagesOwn) {
  ContainerSpec spec = ImageSpec();
  spec.launch.workload.command = {"/bin/server", "--port={port}", "two words"};
  spec.launch.workload.user = "1000:1000";
  spec.launch.workload.working_directory = "/srv";
  const Json body = BodyOf(spec);
  EXPECT_EQ(body["Entrypoint"], Json::array({"/bin/server"}));
  EXPECT_EQ(body["Cmd"], Json::array({"--port=3000", "two words"}));
  EXPECT_EQ(body["User"], "1000:1000");
  EXPECT_EQ(body["WorkingDir"], "/srv");
}

TEST(ContainerBody, ACommandOfOneWordLeavesNoneOfTheImagesArguments) {
  ContainerSpec spec = ImageSpec();
  spec.launch.workload.command = {"/bin/server"};
  EXPECT_EQ(BodyOf(spec)["Cmd"], Json::array());
}

TEST(ContainerBody, AnImageHasNoMorePrivilegesThanItsServiceNames) {
  ContainerSpec spec = ImageSpec();
  Json host = BodyOf(spec)["HostConfig"];
  EXPECT_EQ(host["CapDrop"], Json::array({"ALL"}));
  EXPECT_FALSE(host.contains("CapAdd"));
  EXPECT_EQ(host["ReadonlyRootfs"], true);
  EXPECT_TRUE(host["Tmpfs"].contains("/tmp"));
  spec.launch.workload.capabilities = {"NET_BIND_SERVICE"};
  spec.launch.workload.read_only_root = false;
  host = BodyOf(spec)["HostConfig"];
  EXPECT_EQ(host["CapDrop"], Json::array({"ALL"}));
  EXPECT_EQ(host["CapAdd"], Json::array({"NET_BIND_SERVICE"}));
  EXPECT_EQ(host["ReadonlyRootfs"], false);
  EXPECT_FALSE(host.contains("Tmpfs"));
  EXPECT_EQ(host["SecurityOpt"], Json::array({"no-new-privileges"}));
}

TEST(ContainerBody, LimitsAreSetAsTheServiceSaysThem) {
  ContainerSpec spec = ImageSpec();
  spec.launch.workload.resources = {256 << 20, 1500, 64};
  Json host = BodyOf(spec)["HostConfig"];
  EXPECT_EQ(host["Memory"], 256 << 20);
  EXPECT_EQ(host["MemorySwap"], 256 << 20) << "or the rest would be swapped";
  EXPECT_EQ(host["NanoCpus"], 1'500'000'000);
  EXPECT_EQ(host["PidsLimit"], 64);
  spec.launch.workload.resources = {0, 0, 0};
  host = BodyOf(spec)["HostConfig"];
  for (const char* limit : {"Memory", "MemorySwap", "NanoCpus", "PidsLimit"}) {
    EXPECT_FALSE(host.contains(limit)) << limit;
  }
}

TEST(ContainerBody, VolumesAndVariablesAreThoseOfTheService) {
  ContainerSpec spec = ImageSpec();
  spec.volumes = {{"/srv/data", "/data", false}, {"/srv/tmp", "/tmp", true}};
  spec.environment = {{"A", "1"}, {"B", "two words=2"}};
  const Json body = BodyOf(spec);
  EXPECT_EQ(body["Env"], Json::array({"A=1", "B=two words=2"}));
  const Json mounts = body["HostConfig"]["Mounts"];
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0]["Type"], "bind");
  EXPECT_EQ(mounts[0]["Source"], "/srv/data");
  EXPECT_EQ(mounts[0]["Target"], "/data");
  EXPECT_EQ(mounts[0]["ReadOnly"], false);
  EXPECT_EQ(mounts[1]["ReadOnly"], true);
  EXPECT_FALSE(body["HostConfig"].contains("Tmpfs")) << "/tmp is the volume";
}

TEST(ContainerBody, TheSignalAndTheGraceAreThoseOfTheService) {
  ContainerSpec spec = ImageSpec();
  spec.launch.workload.stop_signal = "SIGQUIT";
  EXPECT_EQ(BodyOf(spec)["StopSignal"], "SIGQUIT");
  EXPECT_EQ(BodyOf(spec)["StopTimeout"], 2);
}

}  // namespace
}  // namespace gocomet::controlplane
