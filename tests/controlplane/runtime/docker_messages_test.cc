#include "controlplane/runtime/docker_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "controlplane/runtime/docker_image.h"

namespace gocomet::controlplane {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kId[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// As an engine describes a worker that runs; each test changes what it is about.
Json Running() {
  return {{"Id", kId},
          {"Created", "2024-05-06T07:08:09.5Z"},
          {"State", {{"Status", "running"}, {"Running", true}, {"Pid", 4711}, {"ExitCode", 0}}},
          {"Config",
           {{"Image", "gocomet-worker:1"},
            {"Labels",
             {{"gocomet.cluster", "c1"},
              {"gocomet.service", "worker"},
              {"gocomet.ordinal", "2"},
              {"gocomet.instance", "abcdefabcdef"},
              {"gocomet.template", "t1"},
              {"gocomet.port", "6002"},
              {"gocomet.workload", "demo"}}}}},
          {"HostConfig",
           {{"PortBindings",
             {{"8080/tcp", Json::array({{{"HostIp", "127.0.0.1"}, {"HostPort", "6002"}}})}}}}},
          {"NetworkSettings", {{"IPAddress", "172.17.0.2"}}}};
}

Container Parsed(const Json& json) {
  const auto container = ParseContainer(json.dump());
  EXPECT_TRUE(container.ok()) << container.status();
  return container.ok() ? *container : Container{};
}

TEST(EngineVersions, TheNewestThatBothSpeakIsSpoken) {
  EXPECT_EQ(*NegotiateApiVersion({"20.10", "1.41", "1.12"}), "1.41");
  EXPECT_EQ(*NegotiateApiVersion({"27.0", "1.46", "1.24"}), "1.41");
  EXPECT_EQ(*NegotiateApiVersion({"17.6", "1.30", "1.12"}), "1.30");
  EXPECT_EQ(*NegotiateApiVersion({"17.6", "1.24", ""}), "1.24");
}

TEST(EngineVersions, WithoutOneInCommonTheErrorSaysWhoSpeaksWhat) {
  EXPECT_THAT(NegotiateApiVersion({"1.9", "1.21", ""}).status().ToString(), HasSubstr("1.21"));
  EXPECT_FALSE(NegotiateApiVersion({"99", "2.0", "1.50"}).ok());
}

TEST(EngineVersions, RefusesWhatIsNoVersion) {
  for (const char* text : {"", "[]", "{}", R"({"ApiVersion":"x"})", R"({"ApiVersion":7})",
                           R"({"ApiVersion":"1.99999999999"})"}) {
    EXPECT_EQ(ParseEngineVersion(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(Filters, AskForTheClusterAndTheInstance) {
  EXPECT_EQ(ClusterFilter("c1"), R"({"label":["gocomet.cluster=c1"]})");
  EXPECT_EQ(ClusterFilter("c1", "i1"), R"({"label":["gocomet.cluster=c1","gocomet.instance=i1"]})");
  EXPECT_EQ(Json::parse(EventFilter("c1"))["type"], Json::array({"container"}));
  EXPECT_EQ(PercentEncode(R"({"a":["b c"]})"), "%7B%22a%22%3A%5B%22b%20c%22%5D%7D");
}

TEST(ParsedContainer, ARunningWorkerIsReadWhole) {
  const Container container = Parsed(Running());
  EXPECT_EQ(container.cluster, "c1");
  EXPECT_EQ(container.ip_address, "172.17.0.2");
  EXPECT_FALSE(container.never_started);
  const RuntimeWorker& worker = container.worker;
  EXPECT_EQ(worker.handle, kId);
  EXPECT_EQ(worker.id, "0123456789ab");
  EXPECT_EQ(worker.instance, "abcdefabcdef");
  EXPECT_EQ(worker.ordinal, 2u);
  EXPECT_EQ(worker.port, 6002);
  EXPECT_EQ(worker.address, "127.0.0.1:6002");
  EXPECT_EQ(worker.pid, 4711);
  EXPECT_TRUE(worker.running);
  EXPECT_FALSE(worker.exit.has_value());
}

TEST(ParsedContainer, OneOfAnImageTellsItsPortSignalAndRun) {
  Json json = Running();
  json["Config"]["Labels"]["gocomet.workload"] = "image";
  json["Config"]["StopSignal"] = "SIGQUIT";
  json["HostConfig"]["PortBindings"] = {
      {"3000/tcp", Json::array({{{"HostIp", "127.0.0.1"}, {"HostPort", "6002"}}})}};
  json["State"]["StartedAt"] = "2024-05-06T07:08:09.5Z";
  const Container container = Parsed(json);
  EXPECT_FALSE(container.is_demo);
  EXPECT_EQ(container.port_inside, 3000);
  EXPECT_EQ(container.stop_signal, "SIGQUIT");
  EXPECT_EQ(container.worker.incarnation, 1714979289500000u);
}

TEST(ParsedContainer, TheDemoWorkerSaysItselfWhichRunItIs) {
  Json json = Running();
  json["State"]["StartedAt"] = "2024-05-06T07:08:09.5Z";
  EXPECT_TRUE(Parsed(json).is_demo);
  EXPECT_EQ(Parsed(json).worker.incarnation, 0u);
}

TEST(ParsedContainer, AnExitCodeAboveASignalsBaseIsThatSignal) {
  Json json = Running();
  json["State"] = {{"Status", "exited"}, {"Running", false}, {"ExitCode", 143}};
  EXPECT_EQ(Parsed(json).worker.exit->signal, 15);
  json["State"]["ExitCode"] = 3;
  EXPECT_EQ(Parsed(json).worker.exit->code, 3);
  EXPECT_EQ(Parsed(json).worker.exit->signal, 0);
  json["State"]["ExitCode"] = 255;
  EXPECT_EQ(Parsed(json).worker.exit->code, 255);
}

TEST(ParsedContainer, OneThatWasNeverStartedSaysSo) {
  Json json = Running();
  json["State"] = {{"Status", "created"}, {"Running", false}, {"ExitCode", 0}};
  const Container container = Parsed(json);
  EXPECT_TRUE(container.never_started);
  EXPECT_EQ(container.worker.exit->code, -1);
  EXPECT_THAT(container.worker.exit->error, HasSubstr("never started"));
}

TEST(ParsedContainer, OnANetworkWithANameItsAddressIsFoundThere) {
  Json json = Running();
  json["NetworkSettings"] = {{"IPAddress", ""},
                             {"Networks", {{"mine", {{"IPAddress", "10.0.0.9"}}}}}};
  EXPECT_EQ(Parsed(json).ip_address, "10.0.0.9");
}

TEST(ParsedContainer, AStrangersContainerHasNoCluster) {
  Json json = Running();
  json["Config"]["Labels"] = nullptr;
  EXPECT_EQ(Parsed(json).cluster, "");
}

TEST(ParsedContainer, FieldsOfTheWrongKindAreNamed) {
  Json json = Running();
  json["State"]["Pid"] = "many";
  EXPECT_THAT(ParseContainer(json.dump()).status().ToString(), HasSubstr("field Pid"));
  json = Running();
  json["Config"]["Labels"]["gocomet.port"] = "70000";
  EXPECT_THAT(ParseContainer(json.dump()).status().ToString(), HasSubstr("gocomet.port"));
  json = Running();
  json["Config"]["Labels"]["gocomet.instance"] = "../../etc";
  EXPECT_THAT(ParseContainer(json.dump()).status().ToString(), HasSubstr("gocomet.instance"));
  for (const char* text : {"", "null", "[]", "7", "{}", R"({"Id":"short"})"}) {
    EXPECT_FALSE(ParseContainer(text).ok()) << text;
  }
}

TEST(BuildOutput, IsFineWithoutAnError) {
  EXPECT_TRUE(ParseBuildOutput("").ok());
  EXPECT_TRUE(ParseBuildOutput("{\"stream\":\"Step 1\"}\r\n{\"aux\":{\"ID\":\"x\"}}\r\n").ok());
}

TEST(BuildOutput, AnErrorComesWithTheLastLines) {
  std::string output;
  for (int i = 0; i < 20; ++i) output += "{\"stream\":\"line " + std::to_string(i) + "\\n\"}\r\n";
  output += "{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\r\n";
  const std::string text = ParseBuildOutput(output).ToString();
  EXPECT_THAT(text, HasSubstr("no space"));
  EXPECT_THAT(text, HasSubstr("line 19"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("line 2\n")));
}

TEST(BuildOutput, RefusesWhatIsNotJson) { EXPECT_FALSE(ParseBuildOutput("<html>").ok()); }

TEST(ImageReferences, AreSplitAsTheEngineTakesThem) {
  const auto split = [](const std::string& image) {
    const ImageReference reference = SplitImage(image);
    return reference.name + " " + reference.tag;
  };
  EXPECT_EQ(split("nginx"), "nginx latest");
  EXPECT_EQ(split("nginx:1.27"), "nginx 1.27");
  EXPECT_EQ(split("registry.example.com:5000/team/web"),
            "registry.example.com:5000/team/web latest");
  EXPECT_EQ(split("registry.example.com:5000/web:v1"), "registry.example.com:5000/web v1");
  EXPECT_EQ(split("web@sha256:abc"), "web sha256:abc");
  EXPECT_EQ(split("web:v1@sha256:abc"), "web sha256:abc");
}

TEST(PulledImages, TellHowFarTheyAreHoweverTheLinesAreCut) {
  PullOutput output;
  EXPECT_EQ(output.Progress(), "");
  output.Add("{\"status\":\"Pulling from library/nginx\",\"id\":\"1.27\"}\r\n");
  EXPECT_EQ(output.Progress(), "1.27: Pulling from library/nginx");
  const std::string lines =
      R"({"status":"Already exists","progressDetail":{},"id":"aa"})"
      "\r\n"
      R"({"status":"Pulling fs layer","progressDetail":{},"id":"bb"})"
      "\r\n"
      R"({"status":"Downloading","progressDetail":{"current":5000000,"total":9},"id":"bb"})"
      "\r\n"
      R"({"status":"Extracting","progressDetail":{"current":1,"total":9},"id":"bb"})"
      "\r\n";
  for (const char each : lines) output.Add(std::string_view(&each, 1));
  EXPECT_EQ(output.Progress(), "1 of 2 layers, 5 MB loaded");
  output.Add("{\"status\":\"Pull complete\",\"id\":\"bb\"}\n<html>\n");
  EXPECT_EQ(output.Progress(), "2 of 2 layers, 5 MB loaded");
  EXPECT_EQ(output.error(), "");
  output.Add(R"({"errorDetail":{"message":"no space"},"error":"no space"})"
             "\n");
  EXPECT_EQ(output.error(), "no space");
}

TEST(WorkerImage, IsNamedByItsContent) {
  EXPECT_THAT(WorkerImageName("a"), ::testing::MatchesRegex("gocomet-worker:[0-9a-f]{12}"));
  EXPECT_EQ(WorkerImageName("a"), WorkerImageName("a"));
  EXPECT_NE(WorkerImageName("a"), WorkerImageName("b"));
}

TEST(WorkerImage, KnowsAProgramThatNeedsNoLoader) {
  std::string program(64, '\0');
  EXPECT_FALSE(IsStaticProgram(program));
  program.replace(0, 4,
                  "\x7f"
                  "ELF");
  EXPECT_TRUE(IsStaticProgram(program));
  EXPECT_FALSE(IsStaticProgram(program.substr(0, 63)));
  program[56] = 1;  // One program header, which is missing.
  program[32] = 64;
  EXPECT_FALSE(IsStaticProgram(program));
  program += std::string("\x03\0\0\0", 4) + std::string(52, '\0');  // PT_INTERP.
  EXPECT_FALSE(IsStaticProgram(program));
  program[64] = 1;  // PT_LOAD.
  EXPECT_TRUE(IsStaticProgram(program));
}

}  // namespace
}  // namespace gocomet::controlplane
