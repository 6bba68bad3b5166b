#include "controlplane/cluster/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

TEST(BuildSnapshot, NamesWorkersThatHaveBeenReadyInOrdinalOrder) {
  const std::vector<Worker> workers = {
      WorkerIn(WorkerState::kReady, 3),    WorkerIn(WorkerState::kUnhealthy, 1),
      WorkerIn(WorkerState::kStarting, 0), WorkerIn(WorkerState::kPending, 4),
      WorkerIn(WorkerState::kBackOff, 5),  WorkerIn(WorkerState::kStopped, 6)};

  const Snapshot snapshot = BuildSnapshot(9, Wanted(3), workers);

  EXPECT_EQ(snapshot.revision, 9U);
  ASSERT_EQ(snapshot.services.size(), 1U);
  EXPECT_THAT(snapshot.services[0].endpoints,
              ElementsAre(Field(&SnapshotEndpoint::worker_id, "id1"),
                          Field(&SnapshotEndpoint::worker_id, "id3")));
}

TEST(BuildSnapshot, SaysWhoDrains) {
  const Snapshot snapshot = BuildSnapshot(1, Wanted(1), std::vector{DrainingWorker(0, 0)});
  EXPECT_THAT(snapshot.services[0].endpoints,
              ElementsAre(Field(&SnapshotEndpoint::draining, true)));
}

TEST(BuildSnapshot, IsTheSameContentWhateverTheVersion) {
  Snapshot a = BuildSnapshot(1, Wanted(1), std::vector{WorkerIn(WorkerState::kReady, 0)});
  Snapshot b = a;
  b.version = 17;
  EXPECT_TRUE(a.SameContent(b));
  b.services[0].endpoints[0].draining = true;
  EXPECT_FALSE(a.SameContent(b));
}

}  // namespace
}  // namespace gocomet::controlplane
