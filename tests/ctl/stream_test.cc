// Commands that go on until they are stopped.
#include <algorithm>

#include <gmock/gmock.h>

#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/workers.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::HasSubstr;

class StreamTest : public CtlTest {
 protected:
  // Sends the messages, and goes on.
  static Answer GoingOn(const std::vector<const google::protobuf::Message*>& messages) {
    Answer answer = Answer::Stream(messages);
    answer.stays_open = true;
    return answer;
  }

  static v1::WorkerChange Change(const std::string& type, const std::string& state,
                                 const std::string& more = "") {
    return Make<v1::WorkerChange>("type: TYPE_" + type +
                                  " worker { name: 'worker-0' id: 'a' status {"
                                  " state: WORKER_STATE_" +
                                  state + " " + more + " } }");
  }
};

TEST_F(StreamTest, CtrlCEndsAStreamWithTheStatusOfShells) {
  const auto line = Make<v1::LogLine>("worker_name: 'worker-0' text: 'hello'");
  fake_.Script("WorkerService/StreamLogs", {GoingOn({&line})});
  const Outcome run = Ctl({"logs", "-f"}, {.interrupt_after = "hello"});
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.err, "") << "whoever pressed it knows";
}

TEST_F(StreamTest, LogsNameTheirWorkersUnlessThereIsOne) {
  const auto one = Make<v1::LogLine>("worker_name: 'worker-0' text: 'hello'");
  const auto two = Make<v1::LogLine>(
      "worker_name: 'worker-1' text: 'there'"
      " time { seconds: 1800000000 }");
  fake_.Script("WorkerService/StreamLogs", {Answer::Stream({&one, &two})});
  EXPECT_EQ(Ctl({"logs"}).out, "worker-0 | hello\nworker-1 | there\n");
  EXPECT_EQ(Ctl({"logs", "worker-1"}).out, "hello\nthere\n");
  EXPECT_THAT(Ctl({"logs", "-t"}).out, HasSubstr("worker-1 | 2027-01-15T08:00:00Z there\n"));
}

TEST_F(StreamTest, LogsAskForWhatTheCommandLineSays) {
  fake_.Script("WorkerService/StreamLogs", {Answer()});
  EXPECT_EQ(Ctl({"logs", "worker/worker-0", "worker-1", "-n", "5"}).exit_code, 0);
  EXPECT_EQ(Ctl({"logs", "--tail", "all"}).exit_code, 0);
  EXPECT_EQ(Ctl({"logs", "--tail", "0"}).exit_code, 2);
  const auto asked = fake_.Requests<v1::StreamLogsRequest>("WorkerService/StreamLogs");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_THAT(asked[0].workers(), testing::ElementsAre("worker-0", "worker-1"));
  EXPECT_EQ(asked[0].tail(), 5);
  EXPECT_FALSE(asked[0].follow());
  EXPECT_EQ(asked[1].tail(), -1);
}

TEST_F(StreamTest, LogsHaveNoPowerOverTheTerminal) {
  const auto line =
      Make<v1::LogLine>("worker_name: 'w\\033[2J' text: 'a\\033[2J\\nworker-9 | fake'");
  fake_.Script("WorkerService/StreamLogs", {Answer::Stream({&line})});
  EXPECT_EQ(Ctl({"logs"}).out, "w [2J | a [2J worker-9 | fake\n");
}

TEST_F(StreamTest, AWatchShowsWhatIsThereThenEachChange) {
  const auto snapshot = Change("SNAPSHOT", "STARTING");
  const auto synced = Make<v1::WorkerChange>("type: TYPE_SYNCED");
  const auto ready = Change("CHANGED", "READY");
  const auto removed =
      Make<v1::WorkerChange>("type: TYPE_REMOVED worker { name: 'worker-0' id: 'a' }");
  fake_.Script("WorkerService/WatchWorkers", {GoingOn({&snapshot, &synced, &ready, &removed})});
  const Outcome run = Ctl({"get", "workers", "-w"}, {.interrupt_after = "Removed"});
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.out,
            "NAME       ID   STATE      ADDRESS   IN-FLIGHT   FAILURES   AGE\n"
            "worker-0   a    Starting   -         0           0          -\n"
            "worker-0   a    Ready      -         0           0          -\n"
            "worker-0   a    Removed    -         -           -          -\n");
}

TEST_F(StreamTest, AWatchLeavesOutARowThatReadsAsBefore) {
  const auto snapshot = Change("SNAPSHOT", "READY");
  const auto synced = Make<v1::WorkerChange>("type: TYPE_SYNCED");
  const auto unseen = Change("CHANGED", "READY", "last_probe { passed: true }");
  fake_.Script("WorkerService/WatchWorkers", {Answer::Stream({&snapshot, &synced, &unseen})});
  const std::string rows = Ctl({"get", "workers", "-w", "--no-headers"}).out;
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 1) << rows;
  const std::string lines = Ctl({"get", "workers", "-w", "-o", "json"}).out;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3) << "scripts get every message\n"
                                                             << lines;
}

TEST_F(StreamTest, AWatchOfOneNameLeavesOthersOut) {
  const auto one = Make<v1::Balancer>("name: 'balancer-0'");
  const auto two = Make<v1::Balancer>("name: 'balancer-1'");
  fake_.Script("BalancerService/WatchBalancers", {Answer::Stream({&one, &two})});
  const Outcome run = Ctl({"get", "lb", "balancer-1", "-w", "-o", "name"});
  EXPECT_EQ(run.out, "balancer/balancer-1\n");
}

TEST_F(StreamTest, EventsGoOnAfterTheLastOneShown) {
  fake_.Script("EventService/ListEvents",
               Make<v1::ListEventsResponse>("events { sequence: 4 kind: 'Four' }"
                                            "events { sequence: 3 kind: 'Three' }"));
  const auto five = Make<v1::Event>("sequence: 5 kind: 'Five'");
  fake_.Script("EventService/WatchEvents", {GoingOn({&five})});
  const Outcome run = Ctl({"events", "-w", "-o", "name"}, {.interrupt_after = "event/5"});
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_EQ(run.out, "event/3\nevent/4\nevent/5\n");
  const auto asked = fake_.Requests<v1::WatchEventsRequest>("EventService/WatchEvents");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].after_sequence(), 4U);
}

TEST_F(StreamTest, AStreamThatBreaksSaysWhy) {
  const auto line = Make<v1::LogLine>("worker_name: 'worker-0' text: 'hello'");
  Answer answer = Answer::Stream({&line});
  answer.status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "read it faster");
  fake_.Script("WorkerService/StreamLogs", {answer});
  const Outcome run = Ctl({"logs", "-f"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out, "worker-0 | hello\n");
  EXPECT_EQ(run.err, "gocometctl: read it faster\n");
}

TEST_F(StreamTest, ATimeoutEndsAStreamToo) {
  Answer answer;
  answer.stays_open = true;
  fake_.Script("WorkerService/StreamLogs", {answer});
  EXPECT_EQ(Ctl({"logs", "-f", "--timeout", "500ms"}).exit_code, 6);
}

}  // namespace
}  // namespace gocomet::ctl
