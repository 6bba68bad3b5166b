#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

using Random = std::mt19937;

size_t Below(Random& random, size_t bound) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(random);
}

const std::string kSeedText =
    "# seed\nworker: 3\npool: 2 # two\nstats-dir: \"a b.db\"\navg-delay: 500\nfailure: 12\n"
    "load-balancer-port: 5050\nworker-port: 6000\nruntime: auto\nworker-bind: '::1'\n"
    "control-plane:\n  grpc: 127.0.0.1:7070\n  http: \"[::1]:7071\"\n  insecure: false\n"
    "services:\n  web:\n    image: nginx:1.27\n    port: 8000\n    volumes: [./a:/a:ro]\n"
    "    environment: {A: b}\n    health: {expected: '200, 404', interval: 1s}\n"
    "routes:\n  - name: web\n    host: example.com\n    headers: {X-A: b}\n"
    "    services: {web: 9, worker: 1}\n  - {name: rest, service: worker}\n";

std::string Mutate(std::string text, Random& random) {
  constexpr std::string_view kPieces[] = {
      "\n",   ": ", "&a ", "*a", "!!int ", "{",    "}",    "[",   "]",
      "\"",   "'",  "\t",  "- ", "? ",     "---",  "\xFF", "\0",  "|",
      "<<: ", "\r", "~",   "%",  "#",      "9999", "pool", "0x1", "\xEF\xBB\xBF"};
  for (size_t changes = 1 + Below(random, 6); changes > 0; --changes) {
    const size_t at = Below(random, text.size() + 1);
    switch (Below(random, 4)) {
      case 0:
        text.insert(at, kPieces[Below(random, std::size(kPieces))]);
        break;
      case 1:
        text.erase(at, Below(random, 8));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(Below(random, 256));
        break;
      default:
        text.insert(at, text.substr(Below(random, text.size() + 1), Below(random, 30)));
        break;
    }
  }
  return text;
}

uint16_t RandomPort(Random& random, size_t above) {
  return static_cast<uint16_t>(above + Below(random, 1000));
}

std::string RandomText(Random& random) {
  constexpr std::string_view kCharacters[] = {"a", "Z", "0", ".", "-", "/", " ", "\"", "\\", "'",
                                              ":", "#", "é", "{", "~", "1", "@", "*",  "é",  "x"};
  std::string text;
  for (size_t length = 1 + Below(random, 12); length > 0; --length) {
    text += kCharacters[Below(random, std::size(kCharacters))];
  }
  return text;
}

bool Coin(Random& random) { return Below(random, 2) == 1; }

uint32_t Between(Random& random, size_t min, size_t max) {
  return static_cast<uint32_t>(min + Below(random, max - min + 1));
}

std::chrono::milliseconds RandomDuration(Random& random, size_t min, size_t max) {
  return std::chrono::milliseconds(Between(random, min, max));
}

// Of any kind, also those that need care: several lines, nothing, numbers, words of YAML.
std::string RandomValue(Random& random) {
  const std::string values[] = {"",      "no", "8080", "a\nb\n",
                                "\t x ", "#",  "\"\\", RandomText(random)};
  return values[Below(random, std::size(values))];
}

HealthCheck RandomHealth(Random& random) {
  HealthCheck health;
  health.interval = RandomDuration(random, 100, 60'000);
  health.timeout = RandomDuration(random, 10, 60'000);
  health.start_deadline = RandomDuration(random, 100, 600'000);
  health.healthy_threshold = Between(random, 1, 100);
  health.unhealthy_threshold = Between(random, 1, 100);
  health.method = Coin(random) ? "HEAD" : "GET";
  const auto first = static_cast<uint16_t>(Between(random, 100, 599));
  health.expected = {{first, first}, {200, static_cast<uint16_t>(Between(random, 200, 599))}};
  health.path = Coin(random) ? "/up?x=" + std::to_string(Below(random, 9)) : "/";
  return health;
}

void MakeContainer(Workload& workload, Random& random) {
  workload.image = Coin(random) ? "nginx:1.27" : "localhost:5000/a/b__c";
  workload.container_port = RandomPort(random, 1);
  workload.resources = {Coin(random) ? 0 : (6ull << 20) + Below(random, 1u << 30),
                        Coin(random) ? 0 : Between(random, 10, 64'000), Between(random, 0, 1000)};
  workload.read_only_root = Coin(random);
  if (Coin(random)) workload.capabilities = {"NET_BIND_SERVICE", "CHOWN"};
  if (Coin(random)) workload.user = Coin(random) ? "1000:10" : "www-data";
  for (size_t i = Below(random, 3); i > 0; --i) {
    workload.volumes.push_back({RandomText(random), "/v" + std::to_string(i), Coin(random)});
  }
}

Service RandomService(Random& random, const std::string& name, size_t ports_above) {
  Service service;
  service.name = name;
  service.health = RandomHealth(random);
  service.drain_timeout = RandomDuration(random, 0, 600'000);
  const size_t kind = Below(random, 4);
  if (kind == 0) {
    service.workload.endpoints = {"192.0.2.7:80", "unix:/run/" + std::to_string(Below(random, 9))};
    service.replicas = 2;
    return service;
  }
  service.replicas = Between(random, 0, 100);
  service.host_port_base = RandomPort(random, ports_above);
  service.liveness.restart_after = RandomDuration(random, 1000, 60'000);
  service.rollout = {Between(random, 1, 5), Between(random, 0, 5), RandomDuration(random, 0, 9000),
                     RandomDuration(random, 10'000, 600'000),
                     Coin(random) ? OnFailure::kPause : OnFailure::kRollback};
  service.stop_grace = RandomDuration(random, 0, 60'000);
  if (kind == 1) {
    service.demo = {RandomDuration(random, 0, 600'000), Between(random, 0, 100)};
    return service;
  }
  if (kind == 2) MakeContainer(service.workload, random);
  if (kind == 3 || Coin(random)) service.workload.command = {"./a b", RandomValue(random), "80"};
  for (size_t i = Below(random, 4); i > 0; --i) {
    service.workload.environment["N_" + std::to_string(i)] = RandomValue(random);
  }
  if (Coin(random)) service.workload.environment_files = {RandomText(random) + "x"};
  if (Coin(random)) service.workload.working_directory = RandomText(random);
  service.workload.stop_signal = Coin(random) ? "SIGQUIT" : "SIGTERM";
  return service;
}

Route RandomRoute(Random& random, const std::string& name, const std::vector<Service>& services) {
  Route route;
  route.name = name;
  if (Coin(random)) route.host = Coin(random) ? "*.example.com" : "1.example.com";
  if (Coin(random)) route.path_prefix = "/a/" + std::to_string(Below(random, 99));
  if (Coin(random))
    route.headers.push_back({"X-A", Coin(random) ? std::optional("1") : std::nullopt});
  if (Coin(random)) route.headers.push_back({"x-b", "*"});
  for (const Service& service : services) {
    if (route.targets.empty() || Coin(random)) {
      route.targets.push_back({service.name, Between(random, 1, 3)});
    }
  }
  route.algorithm = static_cast<Algorithm>(Below(random, 4));
  if (route.algorithm == Algorithm::kConsistentHash) {
    route.hash_on = Coin(random) ? "client-address" : "cookie:id";
  }
  if (Coin(random)) route.connect_timeout = RandomDuration(random, 1, 90'000);
  if (Coin(random)) route.response_timeout = RandomDuration(random, 1, 90'000);
  if (Coin(random)) route.body_timeout = RandomDuration(random, 1, 90'000);
  if (Coin(random)) route.retries = Between(random, 0, 10);
  return route;
}

// With names in order, and ports of their own.
void AddServicesAndRoutes(Config& config, Random& random) {
  config.runtime = RuntimeKind::kAuto;
  const std::string names[] = {"api", "b-2", "worker"};
  std::vector<Service> services;
  for (size_t i = 0; i < std::size(names); ++i) {
    if (Coin(random)) services.push_back(RandomService(random, names[i], 35'000 + i * 5000));
  }
  if (services.empty()) return;
  config.services = std::move(services);
  for (const char* name : {"first", "second"}) {
    config.routes.push_back(RandomRoute(random, name, config.services));
  }
}

// Valid: ports of its own for everything.
ConfigFile RandomConfigFile(Random& random) {
  constexpr const char* kIps[] = {"127.0.0.1", "0.0.0.0", "::1", "::", "192.0.2.7"};
  ConfigFile file;
  Service& service = file.config.services[0];
  service.replicas = static_cast<uint32_t>(Below(random, kWorkersMax + 1));
  service.host_port_base = RandomPort(random, 10'000);
  service.bind_address = kIps[Below(random, std::size(kIps))];
  service.demo.average_delay = std::chrono::milliseconds(Below(random, 600'001));
  service.demo.failure_percent = static_cast<uint32_t>(Below(random, 101));
  file.config.balancers = {static_cast<uint32_t>(Below(random, kBalancersMax + 1)),
                           kIps[Below(random, std::size(kIps))], RandomPort(random, 20'000),
                           static_cast<uint32_t>(1 + Below(random, kBalancerThreadsMax))};
  file.config.runtime = static_cast<RuntimeKind>(Below(random, 4));
  file.process.database_file = RandomText(random) + ".db";
  file.process.state_directory = RandomText(random);
  file.process.insecure = Below(random, 2) == 1;
  file.process.grpc_address = "127.0.0.1:" + std::to_string(RandomPort(random, 30'000));
  if (file.process.insecure) file.process.http_address = "[::]:0";
  if (Coin(random)) AddServicesAndRoutes(file.config, random);
  return file;
}

TEST(ConfigProperty, WhatWasRenderedReadsBackTheSame) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const ConfigFile file = RandomConfigFile(random);
    for (const ConfigForm form : {ConfigForm::kShort, ConfigForm::kLong}) {
      const std::string text = RenderConfig(file, form);
      const ParsedConfig parsed = ParseConfig(text, "rendered");
      ASSERT_TRUE(parsed.ok()) << "seed " << seed << ": " << parsed.problems[0].ToString() << "\n"
                               << text;
      ASSERT_EQ(parsed.file, file) << "seed " << seed << "\n" << text;
      ASSERT_EQ(ContentHash(parsed.file.config), ContentHash(file.config));
    }
  }
}

TEST(ConfigProperty, ConfigsDifferExactlyWhereADifferenceIsNamed) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Config a = RandomConfigFile(random).config;
    const Config b = Coin(random) ? a : RandomConfigFile(random).config;
    ASSERT_EQ(a == b, DiffConfigs(a, b).empty()) << "seed " << seed;
    ASSERT_EQ(a == b, ContentHash(a) == ContentHash(b)) << "seed " << seed;
  }
}

TEST(ConfigProperty, NoMutationCrashesAndEveryAnswerIsInOrder) {
  size_t accepted = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    const std::string text = Mutate(kSeedText, random);
    const ParsedConfig parsed = ParseConfig(text, "mutated");
    const auto before = [](const ConfigProblem& a, const ConfigProblem& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    };
    ASSERT_TRUE(std::is_sorted(parsed.problems.begin(), parsed.problems.end(), before))
        << "seed " << seed << "\n"
        << text;
    for (const ConfigProblem& problem : parsed.problems) {
      ASSERT_FALSE(problem.message.empty()) << "seed " << seed << "\n" << text;
      ASSERT_LE(problem.line, std::count(text.begin(), text.end(), '\n') +
                                  std::count(text.begin(), text.end(), '\r') + 1)
          << "seed " << seed << "\n"
          << text;
    }
    if (!parsed.ok()) continue;
    ++accepted;
    const ParsedConfig again = ParseConfig(RenderConfig(parsed.file), "rendered");
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.problems[0].ToString() << "\n"
                            << text << "\nrendered as\n"
                            << RenderConfig(parsed.file);
    ASSERT_EQ(again.file, parsed.file) << "seed " << seed << "\n" << text;
  }
  EXPECT_GT(accepted, 100) << "nearly all mutations were refused: the second half is not tested";
}

TEST(ConfigProperty, EveryPrefixOfAConfigIsAnswered) {
  for (size_t cut = 0; cut <= kSeedText.size(); ++cut) {
    const ParsedConfig parsed = ParseConfig(kSeedText.substr(0, cut), "cut");
    for (const ConfigProblem& problem : parsed.problems)
      EXPECT_FALSE(problem.message.empty()) << cut;
  }
}

}  // namespace
}  // namespace gocomet::controlplane
