#include "controlplane/app/overview.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Overview WithWorkers(size_t count) {
  Overview overview;
  overview.converged = true;
  overview.balancers.push_back({"balancer-0", "Ready", "127.0.0.1:5050", "", 12, 1});
  for (size_t i = 0; i < count; ++i) {
    overview.workers.push_back(
        {Cat("worker-", i), "0123456789ab", "Ready", Cat("127.0.0.1:", 6000 + i), "", 4, 1, 501.5});
  }
  return overview;
}

TEST(LiveState, HasALineForEachAndASum) {
  EXPECT_EQ(DrawLiveState(WithWorkers(2), 7.4, {.columns = 80, .rows = 24}),
            "NAME        STATE  ADDRESS         REQUESTS  FAILED  AVERAGE    NOTE\n"
            "balancer-0  Ready  127.0.0.1:5050  12        -       -          1 connection\n"
            "worker-0    Ready  127.0.0.1:6000  4         1       501.5 ms   \n"
            "worker-1    Ready  127.0.0.1:6001  4         1       501.5 ms   \n"
            "all ready, 7 requests/s, 0 answered, 0 of them failed\n");
}

TEST(LiveState, NoLineWrapsWhateverTheWindowsWidth) {
  Overview overview = WithWorkers(3);
  overview.workers[1].note = std::string(300, 'x');
  for (size_t columns = 1; columns < 200; ++columns) {
    for (const std::string& line :
         Lines(DrawLiveState(overview, 0, {.columns = columns, .rows = 24}))) {
      ASSERT_LT(line.size(), columns) << line;
    }
  }
}

TEST(LiveState, ColoursChangeNothingButTheColour) {
  std::string coloured =
      DrawLiveState(WithWorkers(2), 0, {.columns = 60, .rows = 24, .colours = true});
  EXPECT_THAT(coloured, HasSubstr("\033[32mReady"));
  for (const std::string code : {"\033[32m", "\033[0m"}) {
    for (size_t at = 0; (at = coloured.find(code)) != std::string::npos;) {
      coloured.erase(at, code.size());
    }
  }
  EXPECT_EQ(coloured, DrawLiveState(WithWorkers(2), 0, {.columns = 60, .rows = 24}));
}

TEST(LiveState, ManyWorkersTakeHalfTheWindowThoseWithTroubleFirst) {
  Overview overview = WithWorkers(1000);
  overview.workers[900].state = "BackOff";
  const std::string text = DrawLiveState(overview, 0, {.columns = 80, .rows = 24});
  const auto lines = Lines(text);
  EXPECT_EQ(lines.size(), 12U);
  EXPECT_THAT(lines[1], AllOf(HasSubstr("worker-900"), HasSubstr("BackOff")));
  EXPECT_THAT(lines[10], HasSubstr("and 992 more: gocometctl get workers"));
  EXPECT_THAT(lines[11], HasSubstr("all ready"));
}

TEST(LiveState, WordsFromOutsideDoNotCommandTheTerminal) {
  Overview overview = WithWorkers(1);
  overview.workers[0].note = "exit 1, last words: \033[2J\r\n";
  const std::string text = DrawLiveState(overview, 0, {.columns = 200, .rows = 24});
  EXPECT_THAT(text, AllOf(HasSubstr("last words:  [2J"), Not(HasSubstr("\033"))));
}

TEST(LiveState, NeverEndsInHalfACharacter) {
  Overview overview = WithWorkers(1);
  overview.workers[0].note = "ends…";
  for (size_t columns = 60; columns < 90; ++columns) {
    const auto lines = Lines(DrawLiveState(overview, 0, {.columns = columns, .rows = 24}));
    const std::string& line = lines[2];
    const size_t start = line.find('\xe2');
    if (start != std::string::npos) {
      EXPECT_EQ(line.substr(start), "…") << columns;
    }
  }
}

TEST(BannerText, SaysWhereToAskOnWhateverPorts) {
  Banner banner;
  banner.version = "0.1.0";
  banner.client = "build/bin/gocometctl";
  banner.grpc_address = "127.0.0.1:17070";
  Overview overview = WithWorkers(1);
  overview.balancers[0].address = "127.0.0.1:15050";
  EXPECT_THAT(DrawBanner(banner, overview),
              AllOf(HasSubstr("curl -i http://127.0.0.1:15050/api/v1/hello"),
                    HasSubstr("build/bin/gocometctl --server 127.0.0.1:17070 get workers")));
  banner.grpc_address = "127.0.0.1:7070";
  EXPECT_THAT(DrawBanner(banner, overview), HasSubstr("build/bin/gocometctl get workers"));
  banner.grpc_address = "0.0.0.0:17070";
  EXPECT_THAT(DrawBanner(banner, overview), HasSubstr("--server 127.0.0.1:17070 get workers"));
  banner.grpc_address = "[::]:17070";
  EXPECT_THAT(DrawBanner(banner, overview), HasSubstr("--server [::1]:17070 get workers"));
}

TEST(BannerText, SaysSoWhereNobodyIsAskedWhoTheyAre) {
  Banner banner;
  EXPECT_THAT(DrawBanner(banner, WithWorkers(1)), Not(HasSubstr("insecure")));
  banner.is_insecure = true;
  EXPECT_THAT(DrawBanner(banner, WithWorkers(1)), HasSubstr("insecure: whoever reaches it"));
}

TEST(BannerText, SaysHowToAskOverTls) {
  Banner banner;
  banner.client = "gocometctl";
  banner.grpc_address = "127.0.0.1:17070";
  banner.http_address = "127.0.0.1:17071";
  banner.speaks_tls = true;
  EXPECT_THAT(DrawBanner(banner, WithWorkers(1)),
              AllOf(HasSubstr("127.0.0.1:17070 (TLS)"), HasSubstr("https://127.0.0.1:17071/readyz"),
                    HasSubstr("gocometctl --server 127.0.0.1:17070 --tls-ca FILE get workers")));
}

TEST(BannerText, NamesTheFirstOfManyWorkers) {
  const auto lines = Lines(DrawBanner(Banner{}, WithWorkers(1000)));
  EXPECT_LT(lines.size(), 30U);
  EXPECT_THAT(DrawBanner(Banner{}, WithWorkers(1000)), HasSubstr("and 990 more"));
}

}  // namespace
}  // namespace gocomet::controlplane
