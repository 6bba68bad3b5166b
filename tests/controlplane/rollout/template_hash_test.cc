#include "controlplane/rollout/template_hash.h"

#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gocomet::controlplane {
namespace {

const TemplateContext kContext{RuntimeKind::kProcess, "program", 0};

std::string HashOf(const std::function<void(Service&)>& change,
                   const TemplateContext& context = kContext) {
  Service service;
  change(service);
  return TemplateHash(service, context);
}

const std::string kPlain = HashOf([](Service&) {});

TEST(TemplateHash, IsHexAndSaysNothingOfWhatItCovers) {
  const std::string hash =
      HashOf([](Service& s) { s.workload.environment["PASSWORD"] = "hunter2"; });
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(TemplateHash, DiffersWithEachThingThatAWorkerIsStartedWith) {
  const std::vector<std::function<void(Service&)>> changes = {
      [](Service& s) { s.bind_address = "0.0.0.0"; },
      [](Service& s) { s.workload.image = "shop:2"; },
      [](Service& s) {
        s.workload.command = {"serve", "all"};
      },
      [](Service& s) { s.workload.command = {"serve all"}; },
      [](Service& s) { s.workload.working_directory = "/srv"; },
      [](Service& s) { s.workload.container_port = 80; },
      [](Service& s) { s.workload.environment["A"] = "1"; },
      [](Service& s) { s.workload.environment["A"] = "2"; },
      [](Service& s) { s.workload.environment_files = {"a.env"}; },
      [](Service& s) {
        s.workload.volumes = {{"a", "/a", false}};
      },
      [](Service& s) {
        s.workload.volumes = {{"a", "/a", true}};
      },
      [](Service& s) { s.workload.resources.memory_bytes = 1 << 20; },
      [](Service& s) { s.workload.resources.millicpus = 500; },
      [](Service& s) { s.workload.resources.pids = 10; },
      [](Service& s) { s.workload.read_only_root = false; },
      [](Service& s) { s.workload.capabilities = {"NET_ADMIN"}; },
      [](Service& s) { s.workload.user = "1000"; },
      [](Service& s) { s.workload.stop_signal = "SIGQUIT"; }};
  std::set<std::string> hashes = {kPlain};
  for (const auto& change : changes) hashes.insert(HashOf(change));
  EXPECT_EQ(hashes.size(), changes.size() + 1);
}

TEST(TemplateHash, DoesNotCoverWhatChangesWithoutAFreshWorker) {
  EXPECT_EQ(kPlain, HashOf([](Service& s) { s.demo.failure_percent = 99; }));
  EXPECT_EQ(kPlain, HashOf([](Service& s) { s.replicas = 9; }));
  EXPECT_EQ(kPlain, HashOf([](Service& s) { s.health.path = "/other"; }));
  EXPECT_EQ(kPlain, HashOf([](Service& s) { s.rollout.max_surge = 3; }));
  EXPECT_EQ(kPlain, HashOf([](Service& s) { s.liveness.restart_after = std::chrono::minutes(1); }));
}

TEST(TemplateHash, CoversTheRestartsAndTheRuntime) {
  EXPECT_NE(kPlain, HashOf([](Service&) {}, {RuntimeKind::kProcess, "program", 1}));
  EXPECT_NE(kPlain, HashOf([](Service&) {}, {RuntimeKind::kDocker, "program", 0}));
}

TEST(TemplateHash, CoversTheProgramOfTheDemoWorkerAlone) {
  EXPECT_NE(kPlain, HashOf([](Service&) {}, {RuntimeKind::kProcess, "another", 0}));
  const auto image = [](Service& s) { s.workload.image = "shop:2"; };
  EXPECT_EQ(HashOf(image), HashOf(image, {RuntimeKind::kProcess, "another", 0}));
}

TEST(TemplateHash, OfEndpointsIsTheSameWhicheverTheyAreAndHoweverOftenRestarted) {
  const auto at = [](const std::string& endpoint, uint64_t generation = 0) {
    return HashOf([&](Service& s) { s.workload.endpoints = {endpoint}; },
                  {RuntimeKind::kProcess, "program", generation});
  };
  EXPECT_EQ(at("192.0.2.7:80"), at("192.0.2.8:80"));
  EXPECT_EQ(at("192.0.2.7:80"), at("192.0.2.7:80", 3));
  EXPECT_NE(at("192.0.2.7:80"), kPlain);
}

TEST(TemplateHash, OfWhatOthersRunIsTheSameWhateverTheWorkload) {
  const TemplateContext external{RuntimeKind::kExternal, "program", 0};
  EXPECT_EQ(HashOf([](Service&) {}, external),
            HashOf([](Service& s) { s.workload.container_port = 9000; }, external));
}

}  // namespace
}  // namespace gocomet::controlplane
