#include "ctl/output/json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "ctl/output/yaml.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/workers.pb.h"

namespace gocomet::ctl {
namespace {

using Json = nlohmann::ordered_json;

v1::ListWorkersResponse OneWorker() {
  v1::ListWorkersResponse list;
  v1::Worker& worker = *list.add_workers();
  worker.set_name("worker-0");
  worker.mutable_status()->set_state(v1::WORKER_STATE_BACK_OFF);
  worker.mutable_status()->set_in_flight(5);
  worker.mutable_status()->set_consecutive_failures(2);
  worker.mutable_status()->mutable_create_time()->set_seconds(1'800'000'000);
  return list;
}

TEST(Json, IsTheMappingOfProtobuf) {
  const Json json = Json::parse(ToPrettyJson(OneWorker()));
  const Json& worker = json["workers"][0];
  EXPECT_EQ(worker["name"], "worker-0");
  EXPECT_EQ(worker["status"]["state"], "WORKER_STATE_BACK_OFF");
  EXPECT_EQ(worker["status"]["inFlight"], "5") << "64-bit numbers are strings";
  EXPECT_EQ(worker["status"]["consecutiveFailures"], 2) << "32-bit numbers are numbers";
  EXPECT_EQ(worker["status"]["createTime"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(worker["status"]["held"], false) << "what is empty is there all the same";
}

TEST(Json, OfAnEmptyListIsAnEmptyList) {
  EXPECT_EQ(Json::parse(ToPrettyJson(v1::ListWorkersResponse()))["workers"], Json::array());
}

TEST(Json, OfAStreamIsOneLineForEachMessage) {
  const std::string line = ToJsonLine(OneWorker());
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  EXPECT_EQ(Json::parse(line), Json::parse(ToPrettyJson(OneWorker())));
}

TEST(Json, EscapesEveryControlCharacterAndKeepsTheText) {
  v1::Revision revision;
  const std::string hostile = "\x1B[2J\x7F\u009B2J größe";
  revision.set_reason(hostile);
  for (const std::string& text : {ToPrettyJson(revision), ToJsonLine(revision)}) {
    EXPECT_EQ(text.find('\x1B'), std::string::npos) << text;
    EXPECT_EQ(text.find('\x7F'), std::string::npos) << text;
    EXPECT_EQ(text.find("\u009B"), std::string::npos) << text;
    EXPECT_EQ(Json::parse(text)["reason"], hostile);
  }
  const std::string yaml = ToYaml(revision);
  EXPECT_EQ(yaml.find("\u009B"), std::string::npos) << yaml;
  EXPECT_EQ(YAML::Load(yaml)["reason"].as<std::string>(), hostile);
}

TEST(Yaml, LooksAsKubectlPrintsIt) {
  EXPECT_EQ(JsonToYaml(Json::parse(R"({"workers": [{"name": "worker-0", "spec": {"port": 6000},
                                                    "tags": ["a", "b"], "empty": [], "held": false}],
                                       "nextPageToken": ""})")),
            "workers:\n"
            "- name: worker-0\n"
            "  spec:\n"
            "    port: 6000\n"
            "  tags:\n"
            "  - a\n"
            "  - b\n"
            "  empty: []\n"
            "  held: false\n"
            "nextPageToken: \"\"\n");
}

TEST(Yaml, KeepsEveryStringAString) {
  for (const char* text : {"",          "yes",  "No",   "null",  "~",          "true",
                           "1",         "1e3",  "0x10", "12:30", "2026-01-01", "- a",
                           "a: b",      "a #b", "*a",   "&a",    "!a",         "{a",
                           "[a",        "%a",   "@a",   "`a",    "'a'",        "\"a\"",
                           "a\nb",      " a",   "a ",   "größe", "worker-0",   "127.0.0.1:6000",
                           "unix:/a/b", ".inf", "NaN",  "on",    "y"}) {
    const YAML::Node read = YAML::Load(JsonToYaml(Json{{"key", text}}))["key"];
    EXPECT_EQ(read.as<std::string>(), text);
    const std::string printed = JsonToYaml(Json(text));
    const bool quoted = printed.front() == '"';
    const bool ambiguous =
        YAML::Load(printed).Tag() == "?" && !quoted && text[0] >= '0' && text[0] <= '9';
    EXPECT_FALSE(ambiguous) << printed;
  }
}

}  // namespace
}  // namespace gocomet::ctl
