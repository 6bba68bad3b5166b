#include "controlplane/cluster/balancer_fleet.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/cluster/event_log.h"
#include "controlplane/cluster/mailbox.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HandClock : public Clock {
 public:
  SteadyTime Steady() const override { return now_; }
  WallTime Wall() const override { return WallTime(now_.time_since_epoch()); }
  void Advance(milliseconds time) { now_ += time; }

 private:
  SteadyTime now_{seconds(1000)};
};

class ForgetfulStore : public Store {
 public:
  void Write(StoreWrite) override {}
  void Flush() override {}
  size_t queued() const override { return 0; }
};

class Launcher : public BalancerLauncher {
 public:
  LeftBalancers Adopt() override { return {}; }
  void Start(const std::string& name, const std::string& address, uint32_t threads,
             std::function<void(absl::StatusOr<BalancerProcess>)> done) override {
    done(BalancerProcess{name, address, threads, ++pid_, {}, ""});
  }
  void Signal(const std::string&, int) override {}
  void Forget(const std::string&) override {}
  void Watch(std::function<void(std::string, int64_t, BalancerExit)> exited) override {
    exited_ = std::move(exited);
  }
  void Crash(const std::string& name, BalancerExit exit) {
    exit.cause = "killed by signal 9";
    exited_(name, pid_, std::move(exit));
  }

 private:
  int64_t pid_ = 100;
  std::function<void(std::string, int64_t, BalancerExit)> exited_;
};

class Stream : public BalancerStream {
 public:
  void SendSnapshot(std::shared_ptr<const Snapshot>) override {}
  void AcknowledgeReport(uint64_t) override {}
  void Close(const absl::Status&) override {}
};

class BalancerFleetTest : public testing::Test {
 protected:
  void Work() {
    for (const Mailbox::Task& task : mailbox_.TakeNow()) task();
  }
  // Until it serves.
  void Start() {
    fleet_.Perform(StartBalancer{"b", "127.0.0.1:5050", 1});
    Work();
    stream_ = std::make_shared<Stream>();
    ASSERT_TRUE(fleet_.Connect({.name = "b", .incarnation = 1}, stream_).ok());
    fleet_.Acknowledge("b", stream_.get(), 1, "");
    ASSERT_EQ(fleet_.Find("b")->state, BalancerState::kReady);
  }
  // How long it waits to be started again.
  std::chrono::nanoseconds Crash(BalancerExit exit = {}) {
    launcher_.Crash("b", std::move(exit));
    Work();
    EXPECT_EQ(fleet_.Find("b")->state, BalancerState::kBackOff);
    const auto wait = fleet_.Find("b")->next_start - clock_.Steady();
    clock_.Advance(std::chrono::ceil<milliseconds>(wait));
    return wait;
  }

  HandClock clock_;
  ForgetfulStore store_;
  Mailbox mailbox_;
  EventLog events_{store_, clock_, {}, 0};
  Launcher launcher_;
  std::vector<BalancedTotals> counted_;
  BalancerFleet fleet_{launcher_,
                       mailbox_,
                       events_,
                       clock_,
                       {.changed = [] {}, .counted = [this](const auto& c) { counted_ = c; }}};
  std::shared_ptr<Stream> stream_;
};

TEST_F(BalancerFleetTest, ABalancerThatHasServedIsStartedAgainAtOnceHoweverOften) {
  for (int i = 0; i < 10; ++i) {
    Start();
    clock_.Advance(seconds(1));
    EXPECT_EQ(Crash(), seconds(0)) << "crash " << i;
  }
}

TEST_F(BalancerFleetTest, ABalancerThatEndsBeforeItServesWaitsLongerEachTime) {
  for (const int wait : {0, 1, 2, 4, 8, 16, 32, 60, 60}) {
    Start();
    clock_.Advance(milliseconds(999));
    EXPECT_EQ(Crash(), seconds(wait));
  }
}

TEST_F(BalancerFleetTest, ServingWithoutTheControlPlaneIsServing) {
  Start();
  Crash();
  Start();
  clock_.Advance(seconds(1));
  // Its stream breaks before its end is known.
  fleet_.Disconnect("b", stream_.get());
  EXPECT_EQ(Crash(), seconds(0));
}

TEST_F(BalancerFleetTest, WhatACrashedBalancerHadCountedIsHandedOn) {
  Start();
  BalancerExit exit;
  exit.counted = std::vector<BalancedTotals>{{.balancer = "b", .worker_id = "w", .answered = 3}};
  Crash(std::move(exit));
  ASSERT_EQ(counted_.size(), 1u);
  EXPECT_EQ(counted_[0].answered, 3u);
}

TEST_F(BalancerFleetTest, CountersThatCannotBeReadAreAnEvent) {
  Start();
  BalancerExit exit;
  exit.counted = absl::DataLossError("counters: a record is there twice");
  Crash(std::move(exit));
  const auto events = events_.After(0);
  const bool said = std::any_of(events.begin(), events.end(), [](const Event& event) {
    return event.kind == "CountersUnreadable" &&
           event.message.find("a record is there twice") != std::string::npos;
  });
  EXPECT_TRUE(said);
}

}  // namespace
}  // namespace gocomet::controlplane
