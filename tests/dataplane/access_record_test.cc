#include "dataplane/observe/access_record.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dataplane/observe/access_policy.h"
#include "dataplane/observe/json_text.h"

namespace gocomet::dataplane {
namespace {

using nlohmann::json;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr char kReplacement[] = "\xef\xbf\xbd";

std::string TextOf(std::string_view bytes) {
  std::string out;
  AppendJsonText(bytes, out);
  return json::parse(out).get<std::string>();
}

std::string LineOf(const AccessRecord& record, bool with_query = false) {
  std::string out;
  AppendAccessLine(record, with_query, out);
  return out;
}

AccessRecord FullRecord() {
  return {.began = seconds(1'769'903'999) + microseconds(123'456),
          .duration = microseconds(812),
          .own = nanoseconds(18'600),
          .worker_time = microseconds(700),
          .bytes_in = 90,
          .bytes_out = 1234,
          .retries = 1,
          .status = 502,
          .reused = true,
          .client = "127.0.0.1",
          .request_id = "abc",
          .method = "GET",
          .target = "/a?b=c",
          .protocol = "HTTP/1.1",
          .host = "example.org",
          .route = "api",
          .service = "stable",
          .worker_id = "1234567890ab",
          .error = "connection_lost"};
}

TEST(JsonText, GivesAnyUtf8Back) {
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  all +=
      "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf";
  EXPECT_EQ(TextOf(all), all);
}

TEST(JsonText, ReplacesWhatIsNoUtf8) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"\x80", 1},              // A continuation alone.
      {"\xc0\xaf", 2},          // Longer than needed.
      {"\xc3", 1},              // Cut short.
      {"\xe2\x82", 1},          // The same.
      {"\xe0\x9f\x80", 3},      // Longer than needed.
      {"\xed\xa0\x80", 3},      // Half of a pair.
      {"\xf4\x90\x80\x80", 4},  // Beyond the last character.
      {"\xf0\x9f\x98", 1},      // Cut short.
      {"\xff\xfe", 2},
  };
  for (const auto& [bytes, replacements] : cases) {
    std::string expected = "a";
    for (int i = 0; i < replacements; ++i) expected += kReplacement;
    EXPECT_EQ(TextOf("a" + bytes + "b"), expected + "b") << json(expected).dump();
  }
}

TEST(JsonText, AgreesWithAnotherImplementationOnAnyBytes) {
  std::mt19937 random(1);
  // Bytes that begin or go on with characters, beside all others.
  const std::string likely = "\xc2\xe0\xed\xf0\xf4\x80\x90\xa0\xbf\"\\\n a";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (size_t length = random() % 12; bytes.size() < length;) {
      const bool is_any = random() % 4 == 0;
      bytes.push_back(is_any ? static_cast<char>(random()) : likely[random() % likely.size()]);
    }
    const std::string theirs = json(bytes).dump(-1, ' ', false, json::error_handler_t::replace);
    ASSERT_EQ(TextOf(bytes), json::parse(theirs).get<std::string>()) << theirs;
  }
}

TEST(AccessLine, TellsAllOfAnExchange) {
  EXPECT_EQ(
      LineOf(FullRecord()),
      R"({"time":"2026-01-31T23:59:59.123456Z","client":"127.0.0.1","request_id":"abc",)"
      R"("method":"GET","target":"/a","protocol":"HTTP/1.1","host":"example.org","status":502,)"
      R"("error":"connection_lost","route":"api","service":"stable","worker":"1234567890ab","reused":true,"retries":1,)"
      R"("bytes_in":90,"bytes_out":1234,"duration_us":812,"worker_us":700,"own_us":19})"
      "\n");
}

TEST(AccessLine, LeavesOutWhatThereIsNot) {
  EXPECT_EQ(LineOf({.client = "::1"}),
            R"({"time":"1970-01-01T00:00:00.000000Z","client":"::1","retries":0,"bytes_in":0,)"
            R"("bytes_out":0,"duration_us":0,"own_us":0})"
            "\n");
}

TEST(AccessLine, TellsAQueryOnlyWhereThatIsWanted) {
  EXPECT_EQ(json::parse(LineOf(FullRecord(), true))["target"], "/a?b=c");
  EXPECT_EQ(json::parse(LineOf(FullRecord(), false))["target"], "/a");
}

TEST(AccessLine, NeverTellsAUserOfATarget) {
  for (const bool with_query : {false, true}) {
    for (const auto& [target, told] : std::vector<std::pair<std::string, std::string>>{
             {"http://user:secret@host/a", "http://host/a"},
             {"http://user:s@cret@host", "http://host"},
             {"user:secret@host:443", "host:443"},
             {"http://host/a@b", "http://host/a@b"},
             {"/a@b", "/a@b"}}) {
      AccessRecord record;
      record.target = target;
      EXPECT_EQ(json::parse(LineOf(record, with_query))["target"], told);
    }
  }
}

TEST(AccessLine, IsOneLineOfJsonWhateverTheBytes) {
  std::mt19937 random(2);
  const auto any_bytes = [&random] {
    std::string bytes(random() % 40, ' ');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  };
  for (int round = 0; round < 5000; ++round) {
    std::string texts[8];
    for (std::string& text : texts) text = any_bytes();
    AccessRecord record = FullRecord();
    record.client = texts[0];
    record.request_id = texts[1];
    record.method = texts[2];
    record.target = texts[3];
    record.protocol = texts[4];
    record.host = texts[5];
    record.worker_id = texts[6];
    record.error = texts[7];
    const std::string line = LineOf(record, round % 2 == 0);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const json parsed = json::parse(line);
    if (!texts[5].empty()) {
      const std::string host = json(texts[5]).dump(-1, ' ', false, json::error_handler_t::replace);
      ASSERT_EQ(parsed["host"], json::parse(host));
    }
  }
}

TEST(AccessLine, SaysHowManyAreMissing) {
  std::string out;
  AppendDroppedLine(seconds(86'400), 17, out);
  EXPECT_EQ(out, "{\"time\":\"1970-01-02T00:00:00.000000Z\",\"dropped\":17}\n");
}

TEST(RequestOutline, IsReadFromAHead) {
  const RequestOutline outline = OutlineOf(
      "GET /a HTTP/1.1\r\nhOst: h:1\r\nX-Request-ID: id 1 \r\nHost: other\r\n\r\nHost: body\r\n");
  EXPECT_EQ(outline.method, "GET");
  EXPECT_EQ(outline.target, "/a");
  EXPECT_EQ(outline.protocol, "HTTP/1.1");
  EXPECT_EQ(outline.host, "h:1");
  EXPECT_EQ(outline.request_id, "id 1");
}

TEST(RequestOutline, EndsWithTheHead) {
  EXPECT_EQ(OutlineOf("GET / HTTP/1.1\r\n\r\nHost: body\r\n\r\n").host, "");
}

TEST(RequestOutline, MakesTheBestOfWhatIsNoRequest) {
  EXPECT_EQ(OutlineOf("").method, "");
  EXPECT_EQ(OutlineOf("GET / HT").method, "") << "the line is not whole";
  EXPECT_EQ(OutlineOf("\x16\x03\x01 \x02\n\n").method, "");
  EXPECT_EQ(OutlineOf("nonsense\r\n\r\n").method, "");
  const RequestOutline spaced = OutlineOf("\r\nGET /a b HTTP/1.1\nno colon\nHost: h\n");
  EXPECT_EQ(spaced.target, "/a b");
  EXPECT_EQ(spaced.host, "h");
  const RequestOutline old = OutlineOf("GET /\r\n\r\n");
  EXPECT_EQ(old.target, "/");
  EXPECT_EQ(old.protocol, "");
}

TEST(PackedRecord, GivesBackWhatWasPacked) {
  for (AccessRecord record : {FullRecord(), AccessRecord{.client = "c"}}) {
    const PackedRecord packed(record);
    std::string bytes;
    for (const std::string_view part : packed.parts()) bytes.append(part);
    const AccessRecord back = PackedRecord::Unpack(bytes);
    EXPECT_EQ(LineOf(back, true), LineOf(record, true));
    EXPECT_EQ(back.worker_time, record.worker_time);
  }
}

TEST(AccessPolicy, ChoosesByMode) {
  const auto wants = [](AccessLogMode mode, int status, bool failed, milliseconds duration) {
    return AccessPolicy{.mode = mode, .slow = milliseconds(500)}.Wants(status, failed, duration, 0);
  };
  EXPECT_TRUE(wants(AccessLogMode::kAll, 200, false, milliseconds(1)));

  EXPECT_FALSE(wants(AccessLogMode::kErrors, 200, false, milliseconds(900)));
  EXPECT_FALSE(wants(AccessLogMode::kErrors, 404, false, milliseconds(1))) << "a worker's 404";
  EXPECT_TRUE(wants(AccessLogMode::kErrors, 400, true, milliseconds(1))) << "our own 400";
  EXPECT_TRUE(wants(AccessLogMode::kErrors, 500, false, milliseconds(1)));
  EXPECT_TRUE(wants(AccessLogMode::kErrors, 0, true, milliseconds(1)));

  EXPECT_FALSE(wants(AccessLogMode::kSlow, 200, false, milliseconds(499)));
  EXPECT_TRUE(wants(AccessLogMode::kSlow, 200, false, milliseconds(500)));
  EXPECT_TRUE(wants(AccessLogMode::kSlow, 500, false, milliseconds(1)));
}

TEST(AccessPolicy, SamplesTheShareThatIsAskedFor) {
  std::mt19937_64 random(3);
  for (const double share : {0.0, 0.01, 0.5, 1.0}) {
    const AccessPolicy policy{.mode = AccessLogMode::kSample, .sample = share};
    constexpr int kRequests = 100'000;
    int taken = 0;
    for (int i = 0; i < kRequests; ++i) taken += policy.Wants(200, false, seconds(1), random());
    // Five standard deviations.
    const double tolerance = 5 * std::sqrt(share * (1 - share) * kRequests);
    EXPECT_NEAR(taken, share * kRequests, tolerance) << share;
  }
  const AccessPolicy all{.mode = AccessLogMode::kSample, .sample = 1};
  EXPECT_TRUE(all.Wants(200, false, seconds(1), ~uint64_t{0}));
}

}  // namespace
}  // namespace gocomet::dataplane
