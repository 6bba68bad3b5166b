#include <gmock/gmock.h>

#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kAncestorTable =
    "CREATE TABLE worker_stats (id INTEGER PRIMARY KEY AUTOINCREMENT, worker_id TEXT, "
    "timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, successful_requests INTEGER, "
    "failed_requests INTEGER, total_requests INTEGER, average_response_time REAL);";

class AncestorTest : public StoreFixture {
 protected:
  void Insert(const std::string& values) {
    Execute(
        "INSERT INTO worker_stats (worker_id, timestamp, successful_requests, failed_requests, "
        "total_requests, average_response_time) VALUES " +
        values);
  }
};

TEST_F(AncestorTest, ItsRowsBecomeTotalsAndTheViewShowsTheSame) {
  Execute(kAncestorTable);
  Insert("('bbb', '2024-05-06 07:08:09', 90, 10, 100, 250.5), ('aaa', NULL, 0, 0, 0, 0)");
  {
    const OpenedStore opened = MustOpen();
    EXPECT_THAT(opened.notices, ElementsAre(AllOf(HasSubstr("took over the numbers of 2 workers"),
                                                  HasSubstr(".ancestor-"))));
    ASSERT_THAT(opened.state.worker_totals, SizeIs(2));
    const WorkerTotals& totals = opened.state.worker_totals[0];
    EXPECT_EQ(totals.worker_id, "bbb");
    EXPECT_EQ(totals.incarnation, 0);
    EXPECT_EQ(totals.service, "worker");
    EXPECT_EQ(totals.counters, (RequestCounters{90, 10, 25'050'000}));
    EXPECT_EQ(totals.report_time, WallTime(std::chrono::seconds(1'714'979'289)));
  }
  EXPECT_THAT(
      Query("SELECT worker_id, timestamp, successful_requests, failed_requests, "
            "total_requests, average_response_time FROM worker_stats",
            6),
      ElementsAre("bbb|2024-05-06 07:08:09|90|10|100|250.5", "aaa|1970-01-01 00:00:00|0|0|0|0.0"));
}

TEST_F(AncestorTest, ACopyOfTheFileAsItWasStaysBesideIt) {
  Execute(kAncestorTable);
  Insert("('bbb', '2024-05-06 07:08:09', 90, 10, 100, 250.5)");
  MustOpen();
  const auto copies = FilesBeside(".ancestor-");
  ASSERT_THAT(copies, SizeIs(1));
  path_ = directory_ + "/" + copies[0];
  EXPECT_THAT(Query("SELECT type, name FROM sqlite_schema WHERE name = 'worker_stats'", 2),
              ElementsAre("table|worker_stats"));
  EXPECT_THAT(Query("SELECT total_requests FROM worker_stats", 1), ElementsAre("100"));
}

TEST_F(AncestorTest, GoesOnCountingInTheSameFile) {
  Execute(kAncestorTable);
  Insert("('bbb', '2024-05-06 07:08:09', 90, 10, 100, 100)");
  {
    OpenedStore opened = MustOpen();
    opened.store->Write({{}, {TotalsOf("bbb", 5, 1, 100, 0, 30'000'000)}, {}, {}, nullptr});
  }
  const OpenedStore again = MustOpen();
  EXPECT_THAT(again.notices, IsEmpty()) << "it is taken over once only";
  EXPECT_THAT(again.state.worker_totals, SizeIs(2));
  EXPECT_THAT(Query("SELECT successful_requests, total_requests, average_response_time "
                    "FROM worker_stats",
                    3),
              ElementsAre("190|200|200.0"));
}

TEST_F(AncestorTest, OfSeveralRowsOfAWorkerTheOneWithMostRequestsCounts) {
  Execute(kAncestorTable);
  Insert(
      "('a', NULL, 1, 0, 1, 5), ('b', NULL, 7, 0, 7, 5), ('a', NULL, 8, 1, 9, 6), "
      "('a', NULL, 3, 0, 3, 5)");
  MustOpen();
  EXPECT_THAT(Query("SELECT worker_id, total_requests FROM worker_stats", 2),
              ElementsAre("a|9", "b|7"));
}

TEST_F(AncestorTest, ReadsEveryFormOfTimestamp) {
  Execute(kAncestorTable);
  Insert(
      "('date', '2024-05-06 07:08:09', 0, 0, 0, 0), "
      "('zone', '2024-05-06 09:08:09.123456789+02:00', 0, 0, 0, 0), "
      "('rfc', '2024-05-06T07:08:09Z', 0, 0, 0, 0), "
      "('go', '2024-05-06 07:08:09.123 +0000 UTC m=+0.1', 0, 0, 0, 0), "
      "('seconds', 1714979289, 0, 0, 0, 0), ('milliseconds', 1714979289123, 0, 0, 0, 0)");
  MustOpen();
  EXPECT_THAT(Query("SELECT DISTINCT timestamp FROM worker_stats", 1),
              ElementsAre("2024-05-06 07:08:09"));
}

TEST_F(AncestorTest, NonsenseInItsRowsBecomesZeroOrTheLimit) {
  Execute(kAncestorTable);
  Insert(
      "('a', 'never', -5, NULL, 'x', -1.0), ('b', NULL, 9223372036854775807, 1, 1, 9e300), "
      "(NULL, NULL, 1, 1, 2, 1), ('', NULL, 1, 1, 2, 1)");
  const OpenedStore opened = MustOpen();
  ASSERT_THAT(opened.state.worker_totals, SizeIs(2));
  EXPECT_EQ(opened.state.worker_totals[0].counters, RequestCounters{});
  EXPECT_EQ(opened.state.worker_totals[1].counters,
            (RequestCounters{uint64_t{1} << 53, 1, uint64_t{1} << 53}));
  EXPECT_THAT(opened.notices, ElementsAre(HasSubstr("2 rows without a worker_id")));
}

TEST_F(AncestorTest, IsTakenOverInWalModeToo) {
  Execute(std::string("PRAGMA journal_mode = WAL;") + kAncestorTable);
  Insert("('a', NULL, 1, 0, 1, 5)");
  EXPECT_THAT(MustOpen().state.worker_totals, SizeIs(1));
}

TEST_F(AncestorTest, StaysAsItIsWhereItCannotBeTakenOver) {
  Execute(std::string(kAncestorTable) + "CREATE TABLE event (mine INTEGER);");
  Insert("('a', NULL, 1, 0, 1, 5)");
  EXPECT_FALSE(OpenStore(path_).ok()) << "its table `event` is in the way";
  EXPECT_THAT(Query("SELECT type FROM sqlite_schema WHERE name = 'worker_stats'", 1),
              ElementsAre("table"));
  EXPECT_THAT(Query("SELECT total_requests FROM worker_stats", 1), ElementsAre("1"));
}

}  // namespace
}  // namespace gocomet::controlplane
