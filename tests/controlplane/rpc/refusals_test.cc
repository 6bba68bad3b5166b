// Each method, and each kind of bad input that it can get: the canonical code, the field at fault,
// and nothing changed.
#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using grpc::StatusCode;

struct BadCall {
  std::string name;  // As a sentence of CamelCase words.
  StatusCode code;
  std::string field;
  std::function<grpc::Status(RpcWorld&)> call;
};

void PrintTo(const BadCall& bad, std::ostream* out) { *out << bad.name; }

template <typename Service, typename Request, typename Response>
std::function<grpc::Status(RpcWorld&)> Unary(
    grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
    Request request) {
  return [method, request](RpcWorld& world) {
    Call call;
    Response response;
    return (world.Stub<Service>().get()->*method)(&call, request, &response);
  };
}

// Reads a stream to its end.
template <typename Service, typename Request, typename Message>
std::function<grpc::Status(RpcWorld&)> Stream(
    std::unique_ptr<grpc::ClientReader<Message>> (Service::Stub::*method)(grpc::ClientContext*,
                                                                          const Request&),
    Request request) {
  return [method, request](RpcWorld& world) {
    Call call;
    const auto stub = world.Stub<Service>();
    const auto reader = (stub.get()->*method)(&call, request);
    Message message;
    while (reader->Read(&message)) {
    }
    return reader->Finish();
  };
}

template <typename Request>
Request With(const std::function<void(Request&)>& change) {
  Request request;
  change(request);
  return request;
}

const std::string kTooLong(5000, 'a');

std::vector<BadCall> ConfigCalls() {
  using Service = v1::ConfigService;
  using Stub = Service::Stub;
  std::vector<BadCall> calls;
  const auto apply = [&](std::string name, StatusCode code, std::string field,
                         const std::function<void(v1::ApplyConfigRequest&)>& change) {
    v1::ApplyConfigRequest request;
    request.set_config_yaml("worker: 4\n");
    change(request);
    calls.push_back({"ApplyConfig" + name, code, std::move(field),
                     Unary<Service>(&Stub::ApplyConfig, std::move(request))});
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  apply("WithAnUnknownKey", invalid, "wokrer", [](auto& r) { r.set_config_yaml("wokrer: 4\n"); });
  apply("WithAValueOutOfRange", invalid, "failure",
        [](auto& r) { r.set_config_yaml("failure: 101\n"); });
  apply("WithATextThatIsTooLarge", invalid, "config_yaml",
        [](auto& r) { r.set_config_yaml(std::string((1 << 20) + 1, '#')); });
  apply("WithWhatNeedsARestart", invalid, "stats-dir",
        [](auto& r) { r.set_config_yaml("stats-dir: other.db\n"); });
  apply("WithAStaleBase", StatusCode::ABORTED, "base_revision",
        [](auto& r) { r.set_base_revision(7); });
  apply("WithALongAuthor", invalid, "author", [](auto& r) { r.set_author(kTooLong); });
  apply("WithAnAuthorOfTwoLines", invalid, "author", [](auto& r) { r.set_author("a\nb"); });
  apply("WithALongReason", invalid, "reason", [](auto& r) { r.set_reason(kTooLong); });
  apply("WithALongFileName", invalid, "file_name", [](auto& r) { r.set_file_name(kTooLong); });
  calls.push_back(
      {"ValidateConfigWithALongFileName", invalid, "file_name",
       Unary<Service>(&Stub::ValidateConfig, With<v1::ValidateConfigRequest>(
                                                 [](auto& r) { r.set_file_name(kTooLong); }))});
  calls.push_back({"PlanConfigWithALongFileName", invalid, "file_name",
                   Unary<Service>(&Stub::PlanConfig, With<v1::PlanConfigRequest>([](auto& r) {
                     r.set_file_name(kTooLong);
                   }))});
  calls.push_back({"GetConfigOfARevisionThatDoesNotExist", StatusCode::NOT_FOUND, "revision",
                   Unary<Service>(&Stub::GetConfig, With<v1::GetConfigRequest>(
                                                        [](auto& r) { r.set_revision(99); }))});
  const auto roll_back = [&](std::string name, StatusCode code, std::string field,
                             const std::function<void(v1::RollbackConfigRequest&)>& change) {
    v1::RollbackConfigRequest request;
    request.set_revision(1);
    change(request);
    calls.push_back({"RollbackConfig" + name, code, std::move(field),
                     Unary<Service>(&Stub::RollbackConfig, std::move(request))});
  };
  roll_back("ToNoRevision", invalid, "revision", [](auto& r) { r.set_revision(0); });
  roll_back("ToARevisionThatDoesNotExist", StatusCode::NOT_FOUND, "revision",
            [](auto& r) { r.set_revision(99); });
  roll_back("WithAStaleBase", StatusCode::ABORTED, "base_revision",
            [](auto& r) { r.set_base_revision(7); });
  roll_back("WithALongAuthor", invalid, "author", [](auto& r) { r.set_author(kTooLong); });
  roll_back("WithALongReason", invalid, "reason", [](auto& r) { r.set_reason(kTooLong); });
  return calls;
}

std::vector<BadCall> ServiceCalls() {
  using Service = v1::ServiceService;
  using Stub = Service::Stub;
  std::vector<BadCall> calls;
  const auto each = [&](std::string what, StatusCode code, const std::string& name) {
    calls.push_back({"GetService" + what, code, "name",
                     Unary<Service>(&Stub::GetService, With<v1::GetServiceRequest>(
                                                           [&](auto& r) { r.set_name(name); }))});
    calls.push_back({"ScaleService" + what, code, "name",
                     Unary<Service>(&Stub::ScaleService, With<v1::ScaleServiceRequest>(
                                                             [&](auto& r) { r.set_name(name); }))});
    calls.push_back(
        {"RestartService" + what, code, "name",
         Unary<Service>(&Stub::RestartService,
                        With<v1::RestartServiceRequest>([&](auto& r) { r.set_name(name); }))});
  };
  each("ThatDoesNotExist", StatusCode::NOT_FOUND, "shop");
  each("WithAnIllFormedName", StatusCode::INVALID_ARGUMENT, "Not A Name");
  each("WithALongName", StatusCode::INVALID_ARGUMENT, std::string(41, 'a'));
  const auto scale = [&](std::string name, StatusCode code, std::string field,
                         const std::function<void(v1::ScaleServiceRequest&)>& change) {
    calls.push_back({"ScaleService" + name, code, std::move(field),
                     Unary<Service>(&Stub::ScaleService, With<v1::ScaleServiceRequest>(change))});
  };
  scale("ToTooManyReplicas", StatusCode::INVALID_ARGUMENT, "replicas",
        [](auto& r) { r.set_replicas(1001); });
  scale("ToMoreReplicasThanFitBelowTheLastPort", StatusCode::INVALID_ARGUMENT, "replicas",
        [](auto& r) { r.set_replicas(4'000'000'000U); });
  scale("WithAStaleBase", StatusCode::ABORTED, "base_revision", [](auto& r) {
    r.set_replicas(4);
    r.set_base_revision(7);
  });
  scale("WithALongAuthor", StatusCode::INVALID_ARGUMENT, "author",
        [](auto& r) { r.set_author(kTooLong); });
  scale("WithALongReason", StatusCode::INVALID_ARGUMENT, "reason",
        [](auto& r) { r.set_reason(kTooLong); });
  const auto restart = [&](std::string what, std::string field,
                           const std::function<void(v1::RestartServiceRequest&)>& change) {
    calls.push_back(
        {"RestartService" + what, StatusCode::INVALID_ARGUMENT, std::move(field),
         Unary<Service>(&Stub::RestartService, With<v1::RestartServiceRequest>(change))});
  };
  restart("WithALongAuthor", "author", [](auto& r) { r.set_author(kTooLong); });
  restart("WithALongReason", "reason", [](auto& r) { r.set_reason(kTooLong); });
  return calls;
}

std::vector<BadCall> RolloutCalls() {
  using Service = v1::RolloutService;
  using Stub = Service::Stub;
  std::vector<BadCall> calls;
  // Each verb about a service's rollout, with each kind of bad input.
  const auto verb = [&]<typename Request>(const std::string& name, auto method, Request) {
    const auto bad = [&](std::string what, StatusCode code, std::string field,
                         const std::function<void(Request&)>& change) {
      calls.push_back(
          {name + what, code, std::move(field), Unary<Service>(method, With<Request>(change))});
    };
    bad("OfAServiceThatDoesNotExist", StatusCode::NOT_FOUND, "service",
        [](auto& r) { r.set_service("shop"); });
    bad("OfAnIllFormedName", StatusCode::INVALID_ARGUMENT, "service",
        [](auto& r) { r.set_service("Not A Name"); });
    bad("OfAServiceWithoutOne", StatusCode::NOT_FOUND, "service", [](auto&) {});
    bad("WithALongAuthor", StatusCode::INVALID_ARGUMENT, "author",
        [](auto& r) { r.set_author(kTooLong); });
    bad("WithALongReason", StatusCode::INVALID_ARGUMENT, "reason",
        [](auto& r) { r.set_reason(kTooLong); });
  };
  verb("PauseRollout", &Stub::PauseRollout, v1::PauseRolloutRequest());
  verb("ResumeRollout", &Stub::ResumeRollout, v1::ResumeRolloutRequest());
  verb("AbortRollout", &Stub::AbortRollout, v1::AbortRolloutRequest());
  verb("UndoRollout", &Stub::UndoRollout, v1::UndoRolloutRequest());
  const auto get = [&](std::string what, StatusCode code, std::string field,
                       const std::function<void(v1::GetRolloutRequest&)>& change) {
    calls.push_back({"GetRollout" + what, code, std::move(field),
                     Unary<Service>(&Stub::GetRollout, With<v1::GetRolloutRequest>(change))});
  };
  get("ThatDoesNotExist", StatusCode::NOT_FOUND, "id", [](auto& r) { r.set_id(7); });
  get("OfAServiceThatDoesNotExist", StatusCode::NOT_FOUND, "service",
      [](auto& r) { r.set_service("shop"); });
  get("OfAnIllFormedName", StatusCode::INVALID_ARGUMENT, "service",
      [](auto& r) { r.set_service("Not A Name"); });
  get("OfAServiceWithoutOne", StatusCode::NOT_FOUND, "service", [](auto&) {});
  calls.push_back({"ListRolloutsOfAServiceThatDoesNotExist", StatusCode::NOT_FOUND, "service",
                   Unary<Service>(&Stub::ListRollouts, With<v1::ListRolloutsRequest>([](auto& r) {
                     r.set_service("shop");
                   }))});
  const auto watch = [&](std::string what, StatusCode code, std::string field,
                         const std::function<void(v1::WatchRolloutsRequest&)>& change) {
    calls.push_back(
        {"WatchRollouts" + what, code, std::move(field),
         Stream<Service>(&Stub::WatchRollouts, With<v1::WatchRolloutsRequest>(change))});
  };
  watch("OfAServiceThatDoesNotExist", StatusCode::NOT_FOUND, "service",
        [](auto& r) { r.set_service("shop"); });
  watch("OfAnIllFormedName", StatusCode::INVALID_ARGUMENT, "service",
        [](auto& r) { r.set_service("Not A Name"); });
  watch("ThatDoesNotExist", StatusCode::NOT_FOUND, "id", [](auto& r) { r.set_id(7); });
  return calls;
}

std::vector<BadCall> WorkerCalls() {
  using Service = v1::WorkerService;
  using Stub = Service::Stub;
  std::vector<BadCall> calls;
  const auto each = [&](std::string what, StatusCode code, const std::string& id) {
    calls.push_back({"GetWorker" + what, code, "id",
                     Unary<Service>(&Stub::GetWorker,
                                    With<v1::GetWorkerRequest>([&](auto& r) { r.set_id(id); }))});
    calls.push_back({"RestartWorker" + what, code, "id",
                     Unary<Service>(&Stub::RestartWorker, With<v1::RestartWorkerRequest>(
                                                              [&](auto& r) { r.set_id(id); }))});
    calls.push_back({"DrainWorker" + what, code, "id",
                     Unary<Service>(&Stub::DrainWorker,
                                    With<v1::DrainWorkerRequest>([&](auto& r) { r.set_id(id); }))});
    calls.push_back({"UndrainWorker" + what, code, "id",
                     Unary<Service>(&Stub::UndrainWorker, With<v1::UndrainWorkerRequest>(
                                                              [&](auto& r) { r.set_id(id); }))});
    calls.push_back({"StreamLogs" + what, code, "workers[1]",
                     Stream<Service>(&Stub::StreamLogs, With<v1::StreamLogsRequest>([&](auto& r) {
                       r.add_workers("worker-0");
                       r.add_workers(id);
                     }))});
  };
  each("WithoutAnId", StatusCode::INVALID_ARGUMENT, "");
  each("WithAnIllFormedId", StatusCode::INVALID_ARGUMENT, "../../etc/passwd");
  each("WithALongId", StatusCode::INVALID_ARGUMENT, std::string(65, 'a'));
  each("WithAnAmbiguousPrefix", StatusCode::INVALID_ARGUMENT, "abc");
  each("ThatDoesNotExist", StatusCode::NOT_FOUND, "def");
  calls.push_back({"UndrainWorkerThatWasNotDrained", StatusCode::FAILED_PRECONDITION, "id",
                   Unary<Service>(&Stub::UndrainWorker, With<v1::UndrainWorkerRequest>([](auto& r) {
                     r.set_id("worker-0");
                   }))});
  calls.push_back({"StreamLogsWithANegativeTail", StatusCode::INVALID_ARGUMENT, "tail",
                   Stream<Service>(&Stub::StreamLogs,
                                   With<v1::StreamLogsRequest>([](auto& r) { r.set_tail(-2); }))});
  calls.push_back({"StreamLogsOfMoreWorkersThanCanExist", StatusCode::INVALID_ARGUMENT, "workers",
                   Stream<Service>(&Stub::StreamLogs, With<v1::StreamLogsRequest>([](auto& r) {
                     for (int i = 0; i < 1001; ++i) r.add_workers("worker-0");
                   }))});
  const auto of_service = [&](std::string what, StatusCode code, const std::string& service) {
    calls.push_back({"ListWorkersOfAService" + what, code, "service",
                     Unary<Service>(&Stub::ListWorkers, With<v1::ListWorkersRequest>([&](auto& r) {
                       r.set_service(service);
                     }))});
    calls.push_back(
        {"WatchWorkersOfAService" + what, code, "service",
         Stream<Service>(&Stub::WatchWorkers,
                         With<v1::WatchWorkersRequest>([&](auto& r) { r.set_service(service); }))});
  };
  of_service("ThatDoesNotExist", StatusCode::NOT_FOUND, "shop");
  of_service("WithAnIllFormedName", StatusCode::INVALID_ARGUMENT, "-shop");
  return calls;
}

std::vector<BadCall> ViewCalls() {
  using Balancers = v1::BalancerService;
  using Events = v1::EventService;
  using Statistics = v1::StatisticsService;
  std::vector<BadCall> calls;
  const auto balancer = [&](std::string what, StatusCode code, const std::string& name) {
    calls.push_back(
        {"GetBalancer" + what, code, "name",
         Unary<Balancers>(&Balancers::Stub::GetBalancer,
                          With<v1::GetBalancerRequest>([&](auto& r) { r.set_name(name); }))});
  };
  balancer("WithoutAName", StatusCode::INVALID_ARGUMENT, "");
  balancer("WithAnIllFormedName", StatusCode::INVALID_ARGUMENT, "balancer 0");
  balancer("ThatDoesNotExist", StatusCode::NOT_FOUND, "balancer-9");
  const auto event = [&](std::string what, StatusCode code, std::string field,
                         const std::function<void(v1::ListEventsRequest&)>& list,
                         const std::function<void(v1::WatchEventsRequest&)>& watch) {
    calls.push_back({"ListEvents" + what, code, field,
                     Unary<Events>(&Events::Stub::ListEvents, With<v1::ListEventsRequest>(list))});
    calls.push_back(
        {"WatchEvents" + what, code, field,
         Stream<Events>(&Events::Stub::WatchEvents, With<v1::WatchEventsRequest>(watch))});
  };
  const auto long_prefix = [](auto& r) { r.set_subject_prefix(kTooLong); };
  event("WithALongPrefix", StatusCode::INVALID_ARGUMENT, "subject_prefix", long_prefix,
        long_prefix);
  const auto no_severity = [](auto& r) { r.set_at_least(static_cast<v1::Severity>(9)); };
  event("OfASeverityThatIsNone", StatusCode::INVALID_ARGUMENT, "at_least", no_severity,
        no_severity);
  calls.push_back(
      {"GetStatisticsOfAServiceThatDoesNotExist", StatusCode::NOT_FOUND, "service",
       Unary<Statistics>(&Statistics::Stub::GetStatistics,
                         With<v1::GetStatisticsRequest>([](auto& r) { r.set_service("shop"); }))});
  const auto watch = [&](std::string what, StatusCode code, std::string field,
                         const std::function<void(v1::WatchStatisticsRequest&)>& change) {
    calls.push_back({"WatchStatistics" + what, code, std::move(field),
                     Stream<Statistics>(&Statistics::Stub::WatchStatistics,
                                        With<v1::WatchStatisticsRequest>(change))});
  };
  watch("OfAServiceThatDoesNotExist", StatusCode::NOT_FOUND, "service",
        [](auto& r) { r.set_service("shop"); });
  watch("TooOften", StatusCode::INVALID_ARGUMENT, "interval_milliseconds",
        [](auto& r) { r.set_interval_milliseconds(99); });
  watch("TooSeldom", StatusCode::INVALID_ARGUMENT, "interval_milliseconds",
        [](auto& r) { r.set_interval_milliseconds(3'600'001); });
  return calls;
}

// Every list takes page_size and page_token alike.
template <typename Service, typename Request, typename Response>
void AddPageCalls(std::vector<BadCall>& calls, const std::string& method,
                  grpc::Status (Service::Stub::*list)(grpc::ClientContext*, const Request&,
                                                      Response*)) {
  const auto bad = [&](std::string what, std::string field,
                       const std::function<void(Request&)>& change) {
    calls.push_back({method + what, StatusCode::INVALID_ARGUMENT, std::move(field),
                     Unary<Service>(list, With<Request>(change))});
  };
  bad("WithANegativePageSize", "page_size", [](auto& r) { r.set_page_size(-1); });
  bad("WithALargePageSize", "page_size", [](auto& r) { r.set_page_size(1001); });
  bad("WithATokenThatIsNotOurs", "page_token", [](auto& r) { r.set_page_token("2"); });
  bad("WithALongToken", "page_token", [](auto& r) { r.set_page_token(kTooLong); });
}

std::vector<BadCall> AllBadCalls() {
  std::vector<BadCall> all;
  for (const auto& calls :
       {ConfigCalls(), ServiceCalls(), RolloutCalls(), WorkerCalls(), ViewCalls()}) {
    all.insert(all.end(), calls.begin(), calls.end());
  }
  AddPageCalls<v1::ConfigService>(all, "ListRevisions", &v1::ConfigService::Stub::ListRevisions);
  AddPageCalls<v1::ServiceService>(all, "ListServices", &v1::ServiceService::Stub::ListServices);
  AddPageCalls<v1::WorkerService>(all, "ListWorkers", &v1::WorkerService::Stub::ListWorkers);
  AddPageCalls<v1::RolloutService>(all, "ListRollouts", &v1::RolloutService::Stub::ListRollouts);
  AddPageCalls<v1::BalancerService>(all, "ListBalancers",
                                    &v1::BalancerService::Stub::ListBalancers);
  AddPageCalls<v1::EventService>(all, "ListEvents", &v1::EventService::Stub::ListEvents);
  return all;
}

// What bad input must not change.
std::string ModelText(RpcWorld& world) {
  std::string text;
  world.OnOwner([&](Cluster& cluster) {
    const std::vector<Event> events = cluster.events().After(0);
    // That somebody tried is recorded.
    const auto happened = std::count_if(events.begin(), events.end(),
                                        [](const Event& event) { return event.kind != "Audit"; });
    text = Cat("revision ", cluster.desired_state().newest().number, ", events ", happened);
    for (const Worker& worker : cluster.workers().workers()) {
      text += Cat(", ", worker.name(), " ", worker.id, " ", ToString(worker.state),
                  worker.replace_requested ? " to be replaced" : "");
    }
  });
  return text;
}

class Refusals : public ::testing::TestWithParam<BadCall> {};

TEST_P(Refusals, NameTheFieldAndChangeNothing) {
  RpcWorld world;
  const std::string before = ModelText(world);
  EXPECT_THAT(GetParam().call(world), RefusedAt(GetParam().code, GetParam().field));
  EXPECT_EQ(ModelText(world), before);
}

INSTANTIATE_TEST_SUITE_P(Of, Refusals, ::testing::ValuesIn(AllBadCalls()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Refusals, AConfigWithVeryManyProblemsStillAnswersWithTheFirstOfThem) {
  RpcWorld world;
  std::string text;
  for (int i = 0; i < 500; ++i) text += Cat("unknown-key-number-", i, ": 1\n");
  v1::ApplyConfigRequest request;
  request.set_config_yaml(text);

  const grpc::Status status =
      Unary<v1::ConfigService>(&v1::ConfigService::Stub::ApplyConfig, request)(world);

  EXPECT_THAT(status, HasCode(StatusCode::INVALID_ARGUMENT));
  ASSERT_FALSE(FieldsAtFault(status).empty());
  EXPECT_EQ(FieldsAtFault(status).front(), "unknown-key-number-0");
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("500 problems"));
  EXPECT_THAT(status.error_message(),
              ::testing::HasSubstr("more; ValidateConfig answers with all"));
}

TEST(Refusals, ASeverityThatIsNoneIsNamedByItsNumber) {
  RpcWorld world;
  v1::ListEventsRequest request;
  request.set_at_least(static_cast<v1::Severity>(99));

  const grpc::Status status =
      Unary<v1::EventService>(&v1::EventService::Stub::ListEvents, request)(world);

  EXPECT_THAT(status, HasCode(StatusCode::INVALID_ARGUMENT));
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("is 99, which is no severity"));
}

TEST(Refusals, WhatIsNotBuiltYetSaysSo) {
  RpcWorld world;
  const grpc::Status status = Unary<v1::StatisticsService>(
      &v1::StatisticsService::Stub::QueryStatistics, v1::QueryStatisticsRequest())(world);
  EXPECT_THAT(status, HasCode(StatusCode::UNIMPLEMENTED));
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("GetStatistics"));
}

}  // namespace
}  // namespace gocomet::controlplane
