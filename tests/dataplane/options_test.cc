#include "dataplane/app/options.h"

#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "dataplane/app/flag_values.h"

namespace gocomet::dataplane {
namespace {

using testing::HasSubstr;

struct Parsed {
  Options options;
  std::optional<int> exit_code;
  std::string out;
  std::string error;
};

Parsed Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "gocomet-balancer");
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  Parsed parsed;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  parsed.options = ParseOptions(static_cast<int>(raw.size()), raw.data(), parsed.exit_code);
  parsed.out = testing::internal::GetCapturedStdout();
  parsed.error = testing::internal::GetCapturedStderr();
  return parsed;
}

// A balancer of two workers, with more arguments.
Parsed ParseAlone(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"--listen",       "127.0.0.1:5050", "--worker",
                                        "127.0.0.1:6000", "--worker",       "127.0.0.1:6001"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return Parse(arguments);
}

TEST(Options, TakeEachFlagOfBalancingAndHealth) {
  const Parsed parsed = Parse({"--listen",
                               "127.0.0.1:5050",
                               "--worker",
                               "127.0.0.1:6000,weight=3",
                               "--worker",
                               "unix:/run/worker",
                               "--algorithm",
                               "consistent-hash",
                               "--hash-on",
                               "cookie:id",
                               "--health-path",
                               "/healthz?deep=1",
                               "--health-interval",
                               "1s",
                               "--health-timeout",
                               "200ms",
                               "--health-expect",
                               "200-204,404",
                               "--health-healthy-threshold",
                               "2",
                               "--health-unhealthy-threshold",
                               "4",
                               "--health-panic-threshold",
                               "50",
                               "--eject-failures",
                               "7",
                               "--eject-time",
                               "3s",
                               "--eject-time-max",
                               "1m"});
  ASSERT_EQ(parsed.exit_code, std::nullopt) << parsed.error;
  const WantedService& service = parsed.options.service;
  ASSERT_EQ(service.endpoints.size(), 2u);
  EXPECT_EQ(service.endpoints[0].worker_id, "127.0.0.1:6000");
  EXPECT_EQ(service.endpoints[0].weight, 3u);
  EXPECT_EQ(service.endpoints[1].worker_id, "unix:/run/worker");
  EXPECT_EQ(service.endpoints[1].weight, 1u);
  EXPECT_EQ(parsed.options.algorithm, Algorithm::kConsistentHash);
  EXPECT_EQ(parsed.options.hash_on.ToString(), "cookie:id");
  const HealthSettings& health = service.health;
  EXPECT_EQ(health.path, "/healthz?deep=1");
  EXPECT_EQ(health.interval, std::chrono::seconds(1));
  EXPECT_EQ(health.timeout, std::chrono::milliseconds(200));
  EXPECT_EQ(health.expected, (std::vector<StatusRange>{{200, 204}, {404, 404}}));
  EXPECT_EQ(health.policy, (HealthPolicy{.healthy_threshold = 2, .unhealthy_threshold = 4}));
  EXPECT_EQ(health.panic_percent, 50u);
  EXPECT_EQ(service.ejection, (EjectionPolicy{.failures = 7,
                                              .time = std::chrono::seconds(3),
                                              .time_max = std::chrono::minutes(1)}));
  EXPECT_EQ(ParseAlone({"--slow-start", "20s"}).options.service.slow_start,
            std::chrono::seconds(20));
}

TEST(Options, TakeEachFlagOfTheAccessLog) {
  EXPECT_EQ(ParseAlone({}).options.access_log.path, "") << "off by default";
  const Parsed all = ParseAlone({"--access-log", "/var/log/a", "--access-log-query"});
  ASSERT_EQ(all.exit_code, std::nullopt) << all.error;
  EXPECT_EQ(all.options.access_log.path, "/var/log/a");
  EXPECT_EQ(all.options.access_log.policy.mode, AccessLogMode::kAll);
  EXPECT_TRUE(all.options.access_log.with_query);
  const Parsed slow =
      ParseAlone({"--access-log", "-", "--access-log-mode", "slow", "--access-log-slow", "2s"});
  EXPECT_EQ(slow.options.access_log.policy.mode, AccessLogMode::kSlow);
  EXPECT_EQ(slow.options.access_log.policy.slow, std::chrono::seconds(2));
  EXPECT_FALSE(slow.options.access_log.with_query);
  const Parsed sample = ParseAlone(
      {"--access-log", "-", "--access-log-mode", "sample", "--access-log-sample", "0.25"});
  EXPECT_EQ(sample.options.access_log.policy.mode, AccessLogMode::kSample);
  EXPECT_EQ(sample.options.access_log.policy.sample, 0.25);
}

TEST(Options, SayWhatIsWrongAndEndWithStatus2) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--algorithm", "random"}, "`random` is none of round-robin, weighted"},
      {{"--worker", "127.0.0.1:6002,weight=0"}, "is not a number from 1 to 100"},
      {{"--worker", "127.0.0.1:6002,weight=101"}, "is not a number from 1 to 100"},
      {{"--worker", "127.0.0.1:6002,weight="}, "is not a number from 1 to 100"},
      {{"--worker", "127.0.0.1:6002,weight=2"}, "add --algorithm weighted"},
      {{"--worker", "127.0.0.1:6000"}, "127.0.0.1:6000 is named twice"},
      {{"--worker", "localhost:6002"}, "localhost:6002"},
      {{"--hash-on", "header:x"}, "needs --algorithm consistent-hash"},
      {{"--algorithm", "consistent-hash", "--hash-on", "header:a b"}, "names no header or cookie"},
      {{"--algorithm", "consistent-hash", "--slow-start", "5s"}, "does not change with time"},
      {{"--health-path", "healthz"}, "begins with /"},
      {{"--access-log", ""}, "name a file"},
      {{"--access-log-mode", "errors"}, "needs --access-log"},
      {{"--access-log-query"}, "needs --access-log"},
      {{"--access-log", "-", "--access-log-mode", "some"}, "`some` is none of all, errors, slow"},
      {{"--access-log", "-", "--access-log-slow", "1s"}, "needs --access-log-mode slow"},
      {{"--access-log", "-", "--access-log-sample", "0.5"}, "needs --access-log-mode sample"},
      {{"--access-log", "-", "--access-log-mode", "sample", "--access-log-sample", "1.5"},
       "`1.5` is not a number from 0 to 1"},
      {{"--access-log", "-", "--access-log-mode", "sample", "--access-log-sample", "nan"},
       "`nan` is not a number from 0 to 1"},
      {{"--health-path", "/a b"}, "begins with /"},
      {{"--health-path", "/a\r\nX: y"}, "begins with /"},
      {{"--health-expect", "99"}, "`99` is neither a status"},
      {{"--health-expect", "200-"}, "`200-` is neither a status"},
      {{"--health-expect", "300-200"}, "`300-200` is neither a status"},
      {{"--health-expect", "200,,204"}, "`` is neither a status"},
      {{"--health-panic-threshold", "101"}, "101"},
      {{"--health-healthy-threshold", "0"}, "0"},
      {{"--eject-time", "10m"}, "longer than --eject-time-max"},
      {{"--eject-time", "0"}, "at least 1ms"},
      {{"--slow-start", "5"}, "5"},
      {{"--handover", "/run/socket"}, "--handover"},
      {{"--handover", "127.0.0.1:1"}, "`127.0.0.1:1` is not unix:/PATH"},
  };
  for (const auto& [arguments, text] : cases) {
    const Parsed parsed = ParseAlone(arguments);
    EXPECT_EQ(parsed.exit_code, 2) << arguments[1];
    EXPECT_THAT(parsed.out + parsed.error, HasSubstr(text));
    EXPECT_THAT(parsed.out + parsed.error, HasSubstr("--")) << "the flag is named";
  }
}

TEST(Options, RefuseFlagsThatTheControlPlaneDecides) {
  const std::vector<std::string> managed = {"--listen",        "127.0.0.1:5050",
                                            "--control-plane", "unix:/s",
                                            "--name",          "b",
                                            "--token-file",    "t",
                                            "--state-dir",     "d"};
  EXPECT_EQ(Parse(managed).exit_code, std::nullopt);
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--algorithm", "two-choices"},
                                             {"--health-interval", "1s"},
                                             {"--eject-failures", "1"}}) {
    std::vector<std::string> arguments = managed;
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Parsed parsed = Parse(arguments);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_THAT(parsed.error, HasSubstr(Cat(more[0], ": with --control-plane")));
  }
}

// Each flag, and its default; empty where it has none.
using Flags = std::map<std::string, std::string>;

Flags FlagsOfHelp() {
  Flags flags;
  std::istringstream help(Parse({"--help"}).out);
  const std::regex flag(R"(^  (?:-\w,)?(--[a-z-]+)(.*)$)");
  std::smatch match;
  for (std::string line; std::getline(help, line);) {
    if (!std::regex_match(line, match, flag)) continue;
    std::string type = match[2];
    type = type.substr(0, type.find("  "));  // The text follows after two spaces.
    const size_t equals = type.rfind('=');
    std::string value = equals == std::string::npos ? "" : type.substr(equals + 1);
    if (type.find("REQUIRED") != std::string::npos) value = "required";
    flags[match[1]] = value;
  }
  return flags;
}

Flags FlagsOfPage() {
  Flags flags;
  std::ifstream page(Cat(GOCOMET_SOURCE_DIR, "/docs/balancer.md"));
  const std::regex row(R"(^\| (`--[^|]*`) \| ([^|]*?) ?\| .*\|$)");
  const std::regex name(R"(--[a-z-]+)");
  std::smatch match;
  for (std::string line; std::getline(page, line);) {
    if (!std::regex_match(line, match, row)) continue;
    const std::string names = match[1];
    for (std::sregex_iterator at(names.begin(), names.end(), name), end; at != end; ++at) {
      flags[at->str()] = match[2];
    }
  }
  return flags;
}

TEST(Options, AreAllInTheirPageOfTheDocumentationWithTheirDefaults) {
  const Flags help = FlagsOfHelp();
  EXPECT_GT(help.size(), 20u);
  EXPECT_EQ(FlagsOfPage(), help);
}

}  // namespace
}  // namespace gocomet::dataplane
