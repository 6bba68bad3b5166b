#include "dataplane/observe/exchange_trace.h"

#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

using std::chrono::microseconds;

ExchangeTrace::Time At(int time) { return ExchangeTrace::Time(microseconds(1'000'000 + time)); }

TEST(ExchangeTrace, SplitsTheTimeOfARequest) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  trace.WroteToWorker(At(7));
  trace.ReadFromWorker(At(507));
  trace.WroteToClient(At(512), 100);
  EXPECT_EQ(trace.total(), microseconds(512));
  EXPECT_EQ(trace.worker(), microseconds(500));
  EXPECT_EQ(trace.own(), microseconds(12));
}

TEST(ExchangeTrace, CountsNoWaitForTheClientAsOurOwn) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  trace.ReadHead(At(1000));       // The rest of a slow head.
  trace.WroteToWorker(At(1005));  // The head …
  trace.WroteToWorker(At(4000));  // … and a slow body.
  trace.ReadFromWorker(At(4100));
  trace.WroteToClient(At(4103), 100);
  trace.WroteToClient(At(9000), 900);
  EXPECT_EQ(trace.total(), microseconds(9000));
  EXPECT_EQ(trace.worker(), microseconds(100));
  EXPECT_EQ(trace.own(), microseconds(8));
}

TEST(ExchangeTrace, CountsEachAttemptAsOurOwnButNotTheWaitForALostOne) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  trace.WroteToWorker(At(5));
  trace.TryAgain(At(805));
  trace.WroteToWorker(At(809));
  trace.ReadFromWorker(At(900));
  trace.WroteToClient(At(902), 100);
  EXPECT_EQ(trace.own(), microseconds(5 + 4 + 2));
  EXPECT_EQ(trace.worker(), microseconds(91));
  EXPECT_EQ(trace.retries(), 1u);
}

TEST(ExchangeTrace, LetsTheWorkersTimeEndWithItsFinalAnswer) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  trace.WroteToWorker(At(5));
  trace.ReadFromWorker(At(50));  // 100 (Continue)
  trace.ForgetInterimAnswer();
  trace.WroteToClient(At(52), 25);
  trace.WroteToWorker(At(300));
  trace.ReadFromWorker(At(400));
  trace.WroteToClient(At(403), 100);
  EXPECT_EQ(trace.own(), microseconds(5 + 3));
  EXPECT_EQ(trace.worker(), microseconds(100));
}

TEST(ExchangeTrace, TakesAnAnswerBeforeTheEndOfTheBodyForWhatItIs) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  trace.WroteToWorker(At(5));
  trace.ReadFromWorker(At(105));
  trace.WroteToWorker(At(110));
  trace.WroteToClient(At(112), 100);
  EXPECT_EQ(trace.worker(), microseconds(100));
}

TEST(ExchangeTrace, KnowsNoWorkersTimeWhereNoneAnswered) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  EXPECT_EQ(trace.worker(), std::nullopt);
  trace.WroteToWorker(At(5));
  EXPECT_EQ(trace.worker(), std::nullopt);
}

TEST(ExchangeTrace, CountsAnAnswerOfOurOwnAsOurs) {
  ExchangeTrace trace;
  trace.Begin(At(0), 40);
  trace.WroteToClient(At(1), 40);  // An earlier one's.
  trace.ReadHead(At(500));
  trace.WroteToClient(At(503), 100);
  EXPECT_EQ(trace.own(), microseconds(3));
}

TEST(ExchangeTrace, CountsNoWaitForAWorkerThatDoesNotAnswerAsOurOwn) {
  ExchangeTrace trace;
  trace.Begin(At(0), 0);
  trace.WroteToWorker(At(5));
  trace.WroteToClient(At(900), 100);
  EXPECT_EQ(trace.own(), microseconds(5));
}

TEST(ExchangeTrace, LeavesAnEarlierAnswersBytesToIt) {
  ExchangeTrace trace;
  trace.Begin(At(0), 40);
  trace.WroteToClient(At(1), 30);
  EXPECT_EQ(trace.bytes_out(), 0u);
  trace.WroteToClient(At(2), 110);
  EXPECT_EQ(trace.bytes_out(), 100u);
}

TEST(ExchangeTrace, IsOpenFromItsBeginToItsEnd) {
  ExchangeTrace trace;
  EXPECT_FALSE(trace.open());
  trace.Begin(At(0), 0);
  EXPECT_TRUE(trace.open());
  trace.End();
  EXPECT_FALSE(trace.open());
}

}  // namespace
}  // namespace gocomet::dataplane
