#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/counters/counter_file.h"
#include "dataplane/app/counters.h"
#include "tests/dataplane/running_director.h"

// What a balancer counted goes on in its next life, until it is known to have arrived.
namespace gocomet::dataplane {
namespace {

class CountedLives : public testing::Test {
 protected:
  CountedLives() : path_(testing::TempDir() + "/counted-lives-" + std::to_string(::getpid())) {
    std::filesystem::remove(path_);
  }
  ~CountedLives() override { std::filesystem::remove(path_); }

  Counters Open() {
    auto opened = CounterFile::Open(path_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return Counters(opened->file, [](const std::string& line) { ADD_FAILURE() << line; });
  }
  static uint64_t Requests(RunningDirector& director) {
    uint64_t requests = 0;
    director.Do([&](Director& d) { requests = d.requests(); });
    return requests;
  }
  static std::vector<std::string> Named(RunningDirector& director) {
    std::vector<std::string> names;
    for (const EndpointStatus& status : director.Status()) {
      names.push_back(status.endpoint->worker_id);
    }
    return names;
  }
  // Whether it is gone once this report was read off and has arrived.
  static bool IsGoneAfterReport(RunningDirector& director, const std::string& worker,
                                uint64_t sequence) {
    director.Do([&](Director& d) {
      d.BeginReport(sequence);
      d.ReportArrived(sequence);
    });
    const auto names = Named(director);
    return std::find(names.begin(), names.end(), worker) == names.end();
  }

  const std::string path_;
};

TEST_F(CountedLives, EveryCounterGoesOnInTheNextLife) {
  Worker worker;
  const WantedService service = AssignmentOf({Wanted("a", worker.address())});
  Route route;
  route.name = "r";
  {
    RunningDirector director(2, Open());
    director.Assign(service, route);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(director.Ask().ends_with("ok"));
  }
  RunningDirector director(1, Open());
  director.Assign(service, route);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(director.Ask().ends_with("ok"));
  EXPECT_EQ(director.StatusOf("a").endpoint->counters->answered, 7u);
  EXPECT_EQ(director.RequestsByRoute().at("r"), 7u);
  EXPECT_EQ(Requests(director), 7u) << "those of a thread that is there no more count, too";
  director.Do([](Director& d) { EXPECT_EQ(d.latencies().total.count(), 7u); });
  EXPECT_EQ(Director::DurationsOf(*director.StatusOf("a").endpoint).count(), 7u);
}

TEST_F(CountedLives, AWorkerThatIsGoneIsReportedByTheNextLife) {
  Worker worker;
  {
    RunningDirector director(1, Open());
    director.Assign(AssignmentOf({Wanted("a", worker.address(), 3)}));
    ASSERT_TRUE(director.Ask().ends_with("ok"));
  }
  RunningDirector director(1, Open());
  EXPECT_EQ(director.StatusOf("a", 3).endpoint->counters->answered, 1u);
  EXPECT_TRUE(IsGoneAfterReport(director, "a", 1));
}

TEST_F(CountedLives, NothingInFlightIsTakenOver) {
  Worker worker;
  {
    RunningDirector director(1, Open());
    director.Assign(AssignmentOf({Wanted("a", worker.address())}));
    director.StatusOf("a").endpoint->in_flight = 1;
  }
  RunningDirector director(1, Open());
  EXPECT_EQ(director.StatusOf("a").endpoint->in_flight, 0u);
}

TEST_F(CountedLives, AWorkerThatLeavesIsReportedUntilThatHasArrived) {
  Door one;
  Door other;
  RunningDirector director(1, Open());
  director.Assign(AssignmentOf({Wanted("a", one.address()), Wanted("b", other.address())}));
  director.Assign(AssignmentOf({Wanted("b", other.address())}));
  director.Do([](Director& d) { d.BeginReport(7); });
  for (int i = 0; i < 3; ++i) director.Assign(AssignmentOf({Wanted("b", other.address())}));
  EXPECT_THAT(Named(director), testing::UnorderedElementsAre("a", "b"))
      << "changes meanwhile do not lose it";
  director.Do([](Director& d) {
    d.BeginReport(8);
    d.ReportArrived(7);
  });
  EXPECT_THAT(Named(director), testing::UnorderedElementsAre("a", "b"))
      << "that report came before it was final";
  director.Do([](Director& d) { d.ReportArrived(8); });
  EXPECT_THAT(Named(director), testing::ElementsAre("b"));
}

TEST_F(CountedLives, NoReportIsTheLastWhileSomebodyMayStillCount) {
  Door one;
  Door other;
  RunningDirector director(1, Open());
  director.Assign(AssignmentOf({Wanted("a", one.address())}));
  EndpointPointer held = director.StatusOf("a").endpoint;
  director.Assign(AssignmentOf({Wanted("b", other.address())}));
  EXPECT_FALSE(IsGoneAfterReport(director, "a", 1));
  held->counters->answered = 1;
  held.reset();
  EXPECT_EQ(director.StatusOf("a").endpoint->counters->answered, 1u);
  EXPECT_TRUE(IsGoneAfterReport(director, "a", 2));
}

TEST_F(CountedLives, AWorkerThatReturnsBeforeThatGoesOnCounting) {
  Door one;
  Door other;
  RunningDirector director(1, Open());
  director.Assign(AssignmentOf({Wanted("a", one.address())}));
  director.StatusOf("a").endpoint->counters->answered = 5;
  director.Assign(AssignmentOf({Wanted("b", other.address())}));
  director.Do([](Director& d) { d.BeginReport(1); });
  director.Assign(AssignmentOf({Wanted("a", one.address())}));
  director.Do([](Director& d) { d.ReportArrived(1); });
  EXPECT_EQ(director.StatusOf("a").endpoint->counters->answered, 5u);
}

TEST_F(CountedLives, AWorkerAtAnotherAddressSharesWhatItsIdentityCounts) {
  Door one;
  Door other;
  RunningDirector director(1, Open());
  director.Assign(AssignmentOf({Wanted("a", one.address())}));
  director.StatusOf("a").endpoint->counters->answered = 5;
  director.Assign(AssignmentOf({Wanted("a", other.address())}));
  director.Do([](Director& d) {
    d.BeginReport(1);
    d.ReportArrived(1);
  });
  ASSERT_THAT(Named(director), testing::ElementsAre("a"));
  EXPECT_EQ(director.StatusOf("a").endpoint->counters->answered, 5u);
}

TEST_F(CountedLives, WhatHasArrivedIsForgottenByTheFile) {
  Door one;
  Door other;
  {
    RunningDirector director(1, Open());
    director.Assign(AssignmentOf({Wanted("a", one.address())}));
    director.Assign(AssignmentOf({Wanted("b", other.address())}));
    ASSERT_TRUE(IsGoneAfterReport(director, "a", 1));
  }
  RunningDirector director(1, Open());
  EXPECT_THAT(Named(director), testing::ElementsAre("b"));
}

}  // namespace
}  // namespace gocomet::dataplane
