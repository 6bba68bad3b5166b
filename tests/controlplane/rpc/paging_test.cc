// Pages of lists, through the API and by themselves.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/rpc/page.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> NamesOf(const v1::ListWorkersResponse& response) {
  std::vector<std::string> names;
  for (const v1::Worker& worker : response.workers()) names.push_back(worker.name());
  return names;
}

v1::ListWorkersResponse ListWorkers(RpcWorld& world, int32_t page_size, const std::string& token) {
  Call call;
  v1::ListWorkersRequest request;
  request.set_page_size(page_size);
  request.set_page_token(token);
  v1::ListWorkersResponse response;
  const grpc::Status status =
      world.Stub<v1::WorkerService>()->ListWorkers(&call, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST(Paging, ListsEachWorkerOnce) {
  RpcWorld world;
  const auto first = ListWorkers(world, 2, "");
  EXPECT_THAT(NamesOf(first), ElementsAre("worker-0", "worker-1"));
  const auto second = ListWorkers(world, 2, first.next_page_token());
  EXPECT_THAT(NamesOf(second), ElementsAre("worker-2"));
  EXPECT_THAT(second.next_page_token(), IsEmpty());
}

TEST(Paging, AFullLastPageHasNoNextOne) {
  RpcWorld world;
  EXPECT_THAT(ListWorkers(world, 3, "").next_page_token(), IsEmpty());
}

TEST(Paging, ATokenIsGoodForItsOwnListAlone) {
  RpcWorld world;
  const std::string token = ListWorkers(world, 1, "").next_page_token();
  Call call;
  v1::ListBalancersRequest request;
  request.set_page_token(token);
  v1::ListBalancersResponse response;
  EXPECT_THAT(world.Stub<v1::BalancerService>()->ListBalancers(&call, request, &response),
              RefusedAt(grpc::StatusCode::INVALID_ARGUMENT, "page_token"));
}

TEST(Paging, ATokenIsGoodForItsOwnFilterAlone) {
  RpcWorld world;
  Call call;
  v1::ListWorkersRequest request;
  request.set_service("worker");
  request.set_page_token(ListWorkers(world, 1, "").next_page_token());
  v1::ListWorkersResponse response;
  EXPECT_THAT(world.Stub<v1::WorkerService>()->ListWorkers(&call, request, &response),
              RefusedAt(grpc::StatusCode::INVALID_ARGUMENT, "page_token"));
}

TEST(Paging, EventsThatComeInBetweenMoveNoPage) {
  RpcWorld world;
  const auto list = [&world](const std::string& token) {
    Call call;
    v1::ListEventsRequest request;
    request.set_page_size(2);
    request.set_page_token(token);
    v1::ListEventsResponse response;
    EXPECT_TRUE(world.Stub<v1::EventService>()->ListEvents(&call, request, &response).ok());
    return response;
  };
  const auto first = list("");
  ASSERT_EQ(first.events_size(), 2);
  world.OnOwner([](Cluster& cluster) { cluster.events().Info("cluster", "Noise", "something"); });
  const auto second = list(first.next_page_token());
  ASSERT_EQ(second.events_size(), 2);
  EXPECT_EQ(second.events(0).sequence(), first.events(1).sequence() - 1);
}

TEST(Paging, EventsCanBeFilteredBySeverity) {
  RpcWorld world;
  world.OnOwner([](Cluster& cluster) { cluster.events().Warning("cluster", "Smoke", "a little"); });
  Call call;
  v1::ListEventsRequest request;
  request.set_at_least(v1::SEVERITY_WARNING);
  v1::ListEventsResponse response;
  ASSERT_TRUE(world.Stub<v1::EventService>()->ListEvents(&call, request, &response).ok());
  ASSERT_EQ(response.events_size(), 1);
  EXPECT_EQ(response.events(0).kind(), "Smoke");
}

TEST(Paging, WatchingFromEventsThatAreNoLongerKeptIsOutOfRange) {
  RpcWorld world;
  world.OnOwner([](Cluster& cluster) {
    for (size_t i = 0; i < EventLog::kKeptInMemory + 10; ++i) {
      cluster.events().Info("cluster", "Noise", "something");
    }
  });
  Call call;
  v1::WatchEventsRequest request;
  request.set_after_sequence(1);
  const auto stub = world.Stub<v1::EventService>();
  const auto reader = stub->WatchEvents(&call, request);
  v1::Event event;
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_THAT(reader->Finish(), RefusedAt(grpc::StatusCode::OUT_OF_RANGE, "after_sequence"));
}

std::vector<int> Listed(const Page& page, const std::vector<int>& items, size_t bytes_each,
                        std::string* token) {
  std::vector<int> listed;
  *token = page.Fill(
      items,
      [](int item) {
        return ListPlace{"", static_cast<uint64_t>(item)};
      },
      [&](int item) {
        listed.push_back(item);
        return bytes_each;
      });
  return listed;
}

TEST(Page, GoesOnAfterItsLastItemAlthoughThatOneIsGone) {
  std::string token;
  EXPECT_THAT(Listed(*Page::Parse("list", "", 2, ""), {1, 3, 5, 7}, 1, &token), ElementsAre(1, 3));
  EXPECT_THAT(Listed(*Page::Parse("list", "", 2, token), {1, 2, 4, 5, 7}, 1, &token),
              ElementsAre(4, 5));
}

TEST(Page, EndsEarlyWhereItemsAreLarge) {
  std::string token;
  EXPECT_THAT(Listed(*Page::Parse("list", "", 0, ""), {1, 2, 3}, Page::kBytesMax, &token),
              ElementsAre(1));
  EXPECT_THAT(Listed(*Page::Parse("list", "", 0, token), {1, 2, 3}, Page::kBytesMax, &token),
              ElementsAre(2));
}

TEST(Page, NoChangedTokenIsTaken) {
  std::string token;
  Listed(*Page::Parse("list", "", 1, ""), {1, 2}, 1, &token);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_FALSE(Page::Parse("list", "", 1, changed).ok()) << changed;
    EXPECT_FALSE(Page::Parse("list", "", 1, token.substr(0, i + 1)).ok() && i + 1 < token.size());
  }
}

}  // namespace
}  // namespace gocomet::controlplane
