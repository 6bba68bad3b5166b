#include "tests/dataplane/one_shard.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <future>

#include <gtest/gtest.h>

namespace gocomet::dataplane {

OneShard::OneShard(const std::vector<Address>& workers, const ProxySettings& settings,
                   AccessLog::Lane* access_log) {
  ::signal(SIGPIPE, SIG_IGN);  // As the balancer has it: splice(2) cannot do without it.
  absl::StatusOr<UniqueFd> listener = Listen(*Address::FromIpAndPort("127.0.0.1", 0));
  sockaddr_in in{};
  socklen_t length = sizeof(in);
  ::getsockname(listener->get(), reinterpret_cast<sockaddr*>(&in), &length);
  address_ = *Address::FromIpAndPort("127.0.0.1", ntohs(in.sin_port));
  for (size_t i = 0; i < workers.size(); ++i) {
    endpoints_.push_back(std::make_shared<Endpoint>("worker-" + std::to_string(i), 1, workers[i]));
    endpoints_.back()->failures_to_tell = kFailuresToTell;
  }
  Shard::Hooks hooks;
  hooks.refused = [this](const EndpointPointer&) { ++refusals_; };
  hooks.failing = [this](const EndpointPointer&) { ++times_failing_; };
  hooks.nothing_in_flight = [this] { ++nothing_in_flight_; };
  hooks.drained = [this] { drained_ = true; };
  shard_ = std::make_unique<Shard>(0, settings, std::move(hooks));
  if (access_log != nullptr) shard_->LogTo(*access_log);
  shard_->Start();
  std::vector<size_t> all;
  for (size_t i = 0; i < workers.size(); ++i) all.push_back(i);
  RouteTo(all);
  listener_ = listener->get();
  std::vector<UniqueFd> listeners;
  listeners.push_back(*std::move(listener));
  shard_->AcceptFrom(std::move(listeners));
}

bool OneShard::Refuses() const {
  const UniqueFd fd(::socket(address_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(fd.get(), address_.socket_address(), address_.socket_address_length()) != 0;
}

void OneShard::RouteTo(const std::vector<size_t>& workers) {
  std::vector<Candidate> candidates;
  for (const size_t i : workers) candidates.push_back({endpoints_[i]});
  table_ = std::make_shared<RoutingTable>(candidates, Algorithm::kRoundRobin, table_.get());
  Adopt(std::make_shared<Routing>(table_));
}

void OneShard::Adopt(std::shared_ptr<const Routing> routing) {
  routing_ = std::move(routing);
  WaitForOneTurn();
}

void OneShard::WaitForOneTurn() {
  const auto done = std::make_shared<std::promise<void>>();
  Run([done] { done->set_value(); });
  ASSERT_EQ(done->get_future().wait_for(kPatience), std::future_status::ready);
}

void OneShard::HaveItsTurn() {
  // In the first, the task may have come before the news of a connection.
  WaitForOneTurn();
  WaitForOneTurn();
}

}  // namespace gocomet::dataplane
