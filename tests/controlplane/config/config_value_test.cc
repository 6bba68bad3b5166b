#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/config/config_text.h"
#include "controlplane/config/nearest_key.h"

namespace gocomet::controlplane {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

std::string FirstProblem(const ParsedConfig& parsed) {
  return parsed.ok() ? "no problem" : parsed.problems.front().ToString();
}

Config ConfigWith(void (*change)(Config&)) {
  Config config;
  change(config);
  return config;
}

TEST(ParseConfig, TakesAnEmptyTextForTheDefaults) {
  for (const std::string text : {"", "\n", "# only a comment\n", "---\n", "\xEF\xBB\xBF"}) {
    const ParsedConfig parsed = ParseConfig(text, "c.yaml");
    EXPECT_TRUE(parsed.ok()) << FirstProblem(parsed);
    EXPECT_EQ(parsed.file, ConfigFile{}) << text;
  }
}

TEST(ParseConfig, PutsTheSevenKeysWhereTheyBelong) {
  const ParsedConfig parsed = ParseConfig(
      "worker: 4\npool: 1\nstats-dir: data/stats.db\navg-delay: 20\nfailure: 100\n"
      "load-balancer-port: 8000\nworker-port: 9000\n",
      "c.yaml");
  ASSERT_TRUE(parsed.ok()) << FirstProblem(parsed);
  const Service& service = parsed.file.config.services.at(0);
  EXPECT_EQ(service.replicas, 4);
  EXPECT_EQ(service.host_port_base, 9000);
  EXPECT_EQ(service.demo.average_delay, std::chrono::milliseconds(20));
  EXPECT_EQ(service.demo.failure_percent, 100);
  EXPECT_EQ(parsed.file.config.balancers.count, 1);
  EXPECT_EQ(parsed.file.config.balancers.port_base, 8000);
  EXPECT_EQ(parsed.file.process.database_file, "data/stats.db");
}

TEST(ParseConfig, PutsTheOtherKeysWhereTheyBelong) {
  const ParsedConfig parsed = ParseConfig(
      "runtime: process\nstate-dir: /var/lib/gocomet\nload-balancer-bind: 0.0.0.0\n"
      "worker-bind: '::1'\nload-balancer-threads: 2\n"
      "control-plane: {grpc: '[::1]:0', http: 0.0.0.0:80, insecure: true}\n",
      "c.yaml");
  ASSERT_TRUE(parsed.ok()) << FirstProblem(parsed);
  EXPECT_EQ(parsed.file.config.runtime, RuntimeKind::kProcess);
  EXPECT_EQ(parsed.file.process.state_directory, "/var/lib/gocomet");
  EXPECT_EQ(parsed.file.config.balancers.bind_address, "0.0.0.0");
  EXPECT_EQ(parsed.file.config.services.at(0).bind_address, "::1");
  EXPECT_EQ(parsed.file.config.balancers.threads, 2);
  EXPECT_EQ(parsed.file.process.grpc_address, "[::1]:0");
  EXPECT_EQ(parsed.file.process.http_address, "0.0.0.0:80");
  EXPECT_TRUE(parsed.file.process.insecure);
}

TEST(ParseConfig, RefusesATextThatIsTooLong) {
  const ParsedConfig parsed = ParseConfig(std::string(kConfigBytesMax + 1, '\n'), "c.yaml");
  EXPECT_THAT(FirstProblem(parsed),
              HasSubstr("c.yaml: has 1048577 bytes; expected at most 1048576"));
}

TEST(ParseConfig, StopsCountingProblemsAtAThousand) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "key" + std::to_string(i) + ": 1\n";
  const ParsedConfig parsed = ParseConfig(text, "c.yaml");
  ASSERT_EQ(parsed.problems.size(), 1001);
  EXPECT_THAT(parsed.problems.back().message, HasSubstr("further problems"));
}

TEST(ParseConfig, PointsAtBytesThatAreNotUtf8) {
  EXPECT_THAT(FirstProblem(ParseConfig("worker: 3\n# caf\xE9\n", "c.yaml")),
              HasSubstr("c.yaml:2:6: the byte 0xe9 is not UTF-8"));
  EXPECT_THAT(FirstProblem(ParseConfig("# \xC0\xAF\n", "c.yaml")),
              HasSubstr("c.yaml:1:3: the byte"));
  EXPECT_THAT(FirstProblem(ParseConfig(std::string("worker: 3\n\0", 11), "c.yaml")),
              HasSubstr("c.yaml:2:1: the control character 0x00"));
}

TEST(ParseConfig, SurvivesTextsMadeToHurtYamlReaders) {
  for (const std::string piece : {"[", "{", "a: ", "- ", "? ", "&a ", "*a ", "!!x ", "\"", "|\n",
                                  "[a, ", "{a: ", "a:\n ", "---\n", "%TAG ! a\n"}) {
    std::string text;
    while (text.size() + piece.size() <= 200'000) text += piece;
    EXPECT_FALSE(ParseConfig(text, "c.yaml").ok()) << piece;
  }
  std::string laughs = "a: &a [x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    laughs += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) laughs += std::string("*") + static_cast<char>(c - 1) + ", ";
    laughs += "x]\n";
  }
  EXPECT_FALSE(ParseConfig(laughs, "c.yaml").ok());
}

TEST(RenderConfig, WritesTheSevenKeysFirstAndThenWhatDiffers) {
  ConfigFile file;
  EXPECT_EQ(RenderConfig(file),
            "worker: 3\npool: 2\nstats-dir: worker-stats.db\navg-delay: 500\nfailure: 12\n"
            "load-balancer-port: 5050\nworker-port: 6000\n");
  file.config.runtime = RuntimeKind::kDocker;
  file.process.http_address = "[::1]:0";
  file.process.database_file = "true";
  EXPECT_EQ(RenderConfig(file),
            "worker: 3\npool: 2\nstats-dir: \"true\"\navg-delay: 500\nfailure: 12\n"
            "load-balancer-port: 5050\nworker-port: 6000\nruntime: docker\n"
            "control-plane:\n  http: \"[::1]:0\"\n");
}

TEST(ContentHash, IsTheSameExactlyForEqualConfigs) {
  const std::string base = ContentHash(Config{});
  EXPECT_EQ(base.size(), 64);
  EXPECT_EQ(ContentHash(Config{}), base);
  for (const auto change : std::initializer_list<void (*)(Config&)>{
           [](Config& c) { c.runtime = RuntimeKind::kProcess; },
           [](Config& c) { c.services.clear(); },
           [](Config& c) { c.services.push_back({.name = "other"}); },
           [](Config& c) { c.services[0].name = "other"; },
           [](Config& c) { c.services[0].replicas = 4; },
           [](Config& c) { c.services[0].host_port_base = 1; },
           [](Config& c) { c.services[0].bind_address = "::1"; },
           [](Config& c) { c.services[0].demo.average_delay *= 2; },
           [](Config& c) { c.services[0].demo.failure_percent = 0; },
           [](Config& c) { c.services[0].health.path = "/"; },
           [](Config& c) { c.services[0].health.interval *= 2; },
           [](Config& c) { c.services[0].health.timeout *= 2; },
           [](Config& c) { c.services[0].health.healthy_threshold = 9; },
           [](Config& c) { c.services[0].health.unhealthy_threshold = 9; },
           [](Config& c) { c.services[0].health.start_deadline *= 2; },
           [](Config& c) { c.services[0].rollout.max_surge = 9; },
           [](Config& c) { c.services[0].rollout.max_unavailable = 9; },
           [](Config& c) { c.services[0].rollout.min_ready += std::chrono::seconds(1); },
           [](Config& c) { c.services[0].drain_timeout *= 2; },
           [](Config& c) { c.services[0].stop_grace *= 2; },
           [](Config& c) { c.services[0].health.method = "HEAD"; },
           [](Config& c) {
             c.services[0].health.expected = {{200, 200}};
           },
           [](Config& c) { c.services[0].liveness.restart_after = std::chrono::seconds(1); },
           [](Config& c) { c.services[0].rollout.progress_deadline *= 2; },
           [](Config& c) { c.services[0].rollout.on_failure = OnFailure::kPause; },
           [](Config& c) { c.services[0].workload.image = "a"; },
           [](Config& c) { c.services[0].workload.command = {"a"}; },
           [](Config& c) { c.services[0].workload.endpoints = {"192.0.2.7:80"}; },
           [](Config& c) { c.services[0].workload.working_directory = "a"; },
           [](Config& c) { c.services[0].workload.container_port = 9; },
           [](Config& c) { c.services[0].workload.environment["A"] = ""; },
           [](Config& c) { c.services[0].workload.environment_files = {"a"}; },
           [](Config& c) {
             c.services[0].workload.volumes = {{"a", "/b", true}};
           },
           [](Config& c) { c.services[0].workload.resources.memory_bytes = 1; },
           [](Config& c) { c.services[0].workload.resources.millicpus = 1; },
           [](Config& c) { c.services[0].workload.resources.pids = 1; },
           [](Config& c) { c.services[0].workload.read_only_root = false; },
           [](Config& c) { c.services[0].workload.capabilities = {"CHOWN"}; },
           [](Config& c) { c.services[0].workload.user = "a"; },
           [](Config& c) { c.services[0].workload.stop_signal = "SIGINT"; },
           [](Config& c) { c.routes = {{.name = "a"}}; },
           [](Config& c) { c.balancers.count = 9; },
           [](Config& c) { c.balancers.port_base = 9; },
           [](Config& c) { c.balancers.bind_address = "::1"; },
           [](Config& c) { c.balancers.threads = 9; }}) {
    const Config changed = ConfigWith(change);
    EXPECT_NE(ContentHash(changed), base) << RenderConfig({changed, {}});
    EXPECT_FALSE(DiffConfigs(Config{}, changed).empty()) << RenderConfig({changed, {}});
  }
}

TEST(DiffConfigs, NamesEachFieldAsConfigYamlDoes) {
  const Config to = ConfigWith([](Config& c) {
    c.services[0].replicas = 6;
    c.services[0].demo.average_delay = std::chrono::milliseconds(20);
    c.balancers.count = 1;
    c.runtime = RuntimeKind::kDocker;
  });
  const auto change = [](const char* field, const char* old_value, const char* new_value) {
    return AllOf(Field(&FieldChange::field, field), Field(&FieldChange::old_value, old_value),
                 Field(&FieldChange::new_value, new_value));
  };
  EXPECT_THAT(DiffConfigs(Config{}, to),
              ElementsAre(change("worker", "3", "6"), change("pool", "2", "1"),
                          change("avg-delay", "500", "20"), change("runtime", "auto", "docker")));
  EXPECT_THAT(DiffConfigs(to, to), IsEmpty());
}

Config RoutedConfig(void (*change)(Route&)) {
  Config config;
  config.routes = {{.name = "a", .targets = {{"worker", 1}}}};
  change(config.routes[0]);
  return config;
}

TEST(ContentHash, KnowsEveryFieldOfARoute) {
  const std::string base = ContentHash(RoutedConfig([](Route&) {}));
  for (const auto change : std::initializer_list<void (*)(Route&)>{
           [](Route& r) { r.name = "b"; }, [](Route& r) { r.host = "b"; },
           [](Route& r) { r.path_prefix = "/b"; },
           [](Route& r) {
             r.headers = {{"b", {}}};
           },
           [](Route& r) { r.targets[0].service = "b"; }, [](Route& r) { r.targets[0].weight = 2; },
           [](Route& r) { r.algorithm = Algorithm::kTwoChoices; },
           [](Route& r) { r.hash_on = "client-address"; },
           [](Route& r) { r.connect_timeout = std::chrono::seconds(1); },
           [](Route& r) { r.response_timeout = std::chrono::seconds(1); },
           [](Route& r) { r.body_timeout = std::chrono::seconds(1); },
           [](Route& r) { r.retries = 0; }}) {
    const Config changed = RoutedConfig(change);
    EXPECT_NE(ContentHash(changed), base) << RenderConfig({changed, {}});
    EXPECT_FALSE(DiffConfigs(RoutedConfig([](Route&) {}), changed).empty())
        << RenderConfig({changed, {}});
  }
}

TEST(DiffConfigs, HidesTheValuesOfEnvironmentVariables) {
  const auto with = [](const std::string& value) {
    Config config;
    config.services[0].workload.environment["TOKEN"] = value;
    return config;
  };
  for (const FieldChange& change : DiffConfigs(with("secret-1"), with("secret-2"))) {
    EXPECT_EQ(change.field, "services.worker.environment.TOKEN");
    EXPECT_EQ(change.old_value, "(hidden)");
    EXPECT_EQ(change.new_value, "(hidden)");
  }
  EXPECT_EQ(DiffConfigs(with("secret-1"), with("secret-2")).size(), 1);
}

TEST(DiffConfigs, SayOfANewServiceWhatItSaysForItself) {
  Config to;
  Service web{.name = "web", .replicas = 2};
  web.workload.image = "nginx";
  to.services.insert(to.services.begin(), web);
  std::vector<std::string> fields;
  for (const FieldChange& change : DiffConfigs(to, to)) fields.push_back(change.field);
  EXPECT_THAT(fields, IsEmpty());
  for (const FieldChange& change : DiffConfigs(Config{}, to)) fields.push_back(change.field);
  EXPECT_THAT(fields, ElementsAre("services.web.image", "services.web.replicas"));
}

TEST(ParseConfig, DefinesTheServiceWorkerWhereAFlatKeyIsAboutIt) {
  const auto names = [](const std::string& text) {
    const ParsedConfig parsed = ParseConfig(text, "c.yaml");
    std::string all = parsed.ok() ? "" : parsed.problems.front().ToString();
    for (const Service& service : parsed.file.config.services) all += service.name + " ";
    return all;
  };
  const std::string web = "services: {web: {image: nginx, port: 8000}}\n";
  const std::string routes = "routes: [{name: a, services: {web: 1, worker: 1}}]\n";
  EXPECT_EQ(names("pool: 1\n"), "worker ");
  EXPECT_EQ(names("pool: 1\n" + web), "web ");
  EXPECT_EQ(names("worker: 2\n" + web + routes), "web worker ");
  EXPECT_EQ(names("services: {worker: {replicas: 2}}\n"), "worker ");
}

TEST(ParseConfig, ShowsNoSecretInItsProblems) {
  const ParsedConfig parsed = ParseConfig(
      "services: {web: {image: nginx, environment: {A: [hunter2], 1B: hunter2, C: {x: hunter2}}}}",
      "c.yaml");
  EXPECT_EQ(parsed.problems.size(), 3);
  for (const ConfigProblem& problem : parsed.problems) {
    EXPECT_EQ(problem.ToString().find("hunter2"), std::string::npos) << problem.ToString();
  }
}

TEST(NearestOf, FindsTheKeyThatWasMeant) {
  constexpr std::string_view kKeys[] = {"worker", "pool", "worker-port", "stats-dir"};
  EXPECT_EQ(NearestOf("wroker", kKeys), "worker");
  EXPECT_EQ(NearestOf("worker_port", kKeys), "worker-port");
  EXPECT_EQ(NearestOf("POOL", kKeys), "pool");
  EXPECT_EQ(NearestOf("statsdir", kKeys), "stats-dir");
  EXPECT_EQ(NearestOf("timeout", kKeys), std::nullopt);
  EXPECT_EQ(NearestOf("", kKeys), std::nullopt);
}

TEST(EditDistance, CountsASwapOfNeighboursAsOneChange) {
  EXPECT_EQ(EditDistance("ab", "ba"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance("Same", "same"), 0);
}

}  // namespace
}  // namespace gocomet::controlplane
