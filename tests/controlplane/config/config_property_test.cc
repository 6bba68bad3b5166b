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
    "control-plane:\n  grpc: 127.0.0.1:7070\n  http: \"[::1]:7071\"\n  insecure: false\n";

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
  return file;
}

TEST(ConfigProperty, WhatWasRenderedReadsBackTheSame) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const ConfigFile file = RandomConfigFile(random);
    const std::string text = RenderConfig(file);
    const ParsedConfig parsed = ParseConfig(text, "rendered");
    ASSERT_TRUE(parsed.ok()) << "seed " << seed << ": " << parsed.problems[0].ToString() << "\n"
                             << text;
    ASSERT_EQ(parsed.file, file) << "seed " << seed << "\n" << text;
    ASSERT_EQ(ContentHash(parsed.file.config), ContentHash(file.config));
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
