#include "dataplane/app/director.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/base/duration_text.h"
#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

// Where the checks come less often, those that are out are still asked as often as this, so that
// one that comes back does not wait.
constexpr std::chrono::milliseconds kIntervalWhileOut{1000};

// Names one endpoint among all that a prober is told of.
std::string NameOf(const Endpoint& endpoint) {
  return Cat(endpoint.worker_id, "/", endpoint.incarnation, "@", endpoint.address.ToString());
}

timeval ToTimeval(std::chrono::microseconds time) {
  return {static_cast<time_t>(time.count() / 1'000'000),
          static_cast<suseconds_t>(time.count() % 1'000'000)};
}

// Some of the process's descriptors are left for connections to workers, so that those who were
// accepted can be served; where they are few, one for each client.
size_t ClientsThatCanBeServed() {
  constexpr size_t kFew = 1024;
  constexpr size_t kForOurselves = 48;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  const size_t most = limit.rlim_cur;
  if (most > kFew) return most / 4 * 3;
  return most > kForOurselves + 2 ? (most - kForOurselves) / 2 : 1;
}

}  // namespace

Director::Director(EventLoop& loop, Hooks hooks)
    : loop_(loop),
      hooks_(std::move(hooks)),
      timer_(event_new(loop.base(), -1, 0, &Director::OnTime, this)),
      prober_(std::make_unique<Prober>([this](const std::string& name, ProbeResult result) {
        loop_.Post([this, name, result = std::move(result)] { OnProbe(name, result); });
      })) {}

Director::~Director() {
  prober_.reset();
  shards_.clear();
  event_free(timer_);
}

void Director::Start(int threads, ProxySettings settings) {
  size_t& connections_max = settings.limits.connections_max;
  const auto shards = static_cast<size_t>(threads);
  connections_max = (std::min(connections_max, ClientsThatCanBeServed()) + shards - 1) / shards;
  recorders_ = std::max(recorders_, shards);
  for (int i = 0; i < threads; ++i) {
    Shard::Hooks hooks;
    hooks.refused = [this](const EndpointPointer& endpoint) {
      loop_.Post([this, endpoint] { OnRefused(endpoint); });
    };
    hooks.failing = [this](const EndpointPointer& endpoint) {
      loop_.Post([this, endpoint] { OnFailing(endpoint); });
    };
    hooks.nothing_in_flight = [this] { loop_.Post([this] { hooks_.nothing_in_flight(); }); };
    hooks.drained = [this] {
      loop_.Post([this] {
        if (++drained_shards_ == shards_.size()) hooks_.drained();
      });
    };
    shards_.push_back(std::make_unique<Shard>(i, settings, std::move(hooks)));
    if (access_log_ != nullptr) shards_.back()->LogTo(access_log_->AddLane());
    CountIn(*shards_.back());
  }
  for (const auto& shard : shards_) shard->Start();
}

void Director::AcceptFrom(std::vector<UniqueFd> listeners) {
  std::vector<std::vector<UniqueFd>> shares(shards_.size());
  for (size_t i = 0; i < listeners.size(); ++i) {
    listening_.push_back(listeners[i].get());
    shares[i % shares.size()].push_back(std::move(listeners[i]));
  }
  for (size_t i = 0; i < shares.size(); ++i) shards_[i]->AcceptFrom(std::move(shares[i]));
}

void Director::StopAcceptingFrom(const std::vector<int>& listeners) {
  for (const int fd : listeners) std::erase(listening_, fd);
  for (const auto& shard : shards_) shard->StopAcceptingFrom(listeners);
}

void Director::SetAssignment(Assignment assignment, std::function<void()> adopted) {
  loop_.Post([this, assignment = std::move(assignment), adopted = std::move(adopted)] {
    Apply(assignment, adopted);
  });
}

Director::Place Director::Find(const std::string& name) {
  const auto found = places_.find(name);
  return found == places_.end() ? Place{} : found->second;
}

KnownWorker Director::TakeOrMake(const WantedEndpoint& wanted,
                                 std::unordered_map<std::string, KnownWorker>& known) {
  KnownWorker worker;
  auto endpoint = MakeEndpoint(wanted.worker_id, wanted.incarnation, wanted.address);
  // What was learnt of it stays as long as it is named with the same identity and address.
  if (const auto same = known.find(NameOf(*endpoint)); same != known.end()) {
    worker = std::move(same->second);
    known.erase(same);
  } else {
    worker.endpoint = std::move(endpoint);
  }
  worker.assigned = true;
  worker.draining = wanted.draining;
  worker.weight = wanted.weight;
  worker.endpoint->draining.store(wanted.draining, std::memory_order_release);
  return worker;
}

void Director::Apply(const Assignment& assignment, std::function<void()> adopted) {
  std::unordered_map<std::string, KnownWorker> known;
  const auto remember = [&known](KnownWorker& worker) {
    known[NameOf(*worker.endpoint)] = std::move(worker);
  };
  for (auto& [name, service] : services_) {
    std::for_each(service.workers().begin(), service.workers().end(), remember);
  }
  for (Departed& departed : departed_) remember(departed.worker);
  places_.clear();
  std::map<std::string, ServiceWorkers> next;
  const SteadyTime now = SystemClock().Steady();
  for (const WantedService& wanted : assignment.services) {
    std::vector<KnownWorker> workers;
    for (const WantedEndpoint& endpoint : wanted.endpoints) {
      workers.push_back(TakeOrMake(endpoint, known));
    }
    const auto same = services_.find(wanted.name);
    ServiceWorkers& service = next[wanted.name];
    if (same != services_.end()) service = std::move(same->second);
    service.Assign(wanted, std::move(workers));
    service.Judge(now);
    for (size_t i = 0; i < service.workers().size(); ++i) {
      places_[NameOf(*service.workers()[i].endpoint)] = {&service, i};
    }
  }
  services_ = std::move(next);
  // Those that are named no more are still reported, until their last numbers have arrived.
  departed_.clear();
  for (auto& [name, worker] : known) {
    worker.assigned = false;
    worker.endpoint->draining.store(true, std::memory_order_release);
    departed_.push_back({std::move(worker)});
  }
  AdoptRoutes(assignment.routes);
  if (!std::exchange(first_adopted_, true)) {
    adopted = [this, adopted = std::move(adopted)] {
      hooks_.first_adopted();
      if (adopted) adopted();
    };
  }
  Publish(adopted);
  SetProbeTargets();
}

void Director::AdoptRoutes(const std::vector<Route>& routes) {
  if (router_ && routes == routes_) return;
  routes_ = routes;
  auto router = std::make_shared<Router>(routes, router_.get());
  for (const Route& route : routes) {
    if (route.name.empty()) continue;
    Router::Requests& requests = requests_by_route_[route.name];
    if (!requests) requests = RequestsOf(route.name);
    router->CountInto(route.name, requests);
  }
  router_ = std::move(router);
}

std::shared_ptr<const Routing> Director::MakeRouting() {
  std::vector<RoutingTablePointer> tables;
  tables.reserve(router_->targets());
  for (const Router::Entry& entry : router_->entries()) {
    for (const RouteTarget& target : entry.route.targets) {
      ServiceWorkers& service = services_[target.service];
      tables.push_back(service.TableFor(entry.route.algorithm, entry.route.name));
    }
  }
  std::map<std::string, RoutingTablePointer, std::less<>> of_services;
  for (auto& [name, service] : services_) {
    of_services[name] = service.TableFor(Algorithm::kRoundRobin, "");
    service.ForgetUnusedTables();
  }
  return std::make_shared<Routing>(router_, std::move(tables), std::move(of_services));
}

void Director::Publish(const std::function<void()>& adopted) {
  std::optional<SteadyTime> next_change;
  for (const auto& [name, service] : services_) {
    const auto next = service.next_change();
    if (next && (!next_change || *next < *next_change)) next_change = next;
  }
  WakeAt(next_change, SystemClock().Steady());
  const auto routing = MakeRouting();
  auto missing = std::make_shared<std::atomic<size_t>>(shards_.size());
  for (const auto& shard : shards_) {
    shard->Adopt(routing, [this, missing, adopted] {
      if (missing->fetch_sub(1) == 1 && adopted) loop_.Post(adopted);
    });
  }
}

void Director::WakeAt(std::optional<SteadyTime> time, SteadyTime now) {
  event_del(timer_);
  if (!time) return;
  // Rounded up, so that the time has come then.
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*time - now);
  const timeval delay = ToTimeval(wait);
  event_add(timer_, &delay);
}

void Director::OnTime(evutil_socket_t, short, void* self) {
  auto* director = static_cast<Director*>(self);
  const SteadyTime now = SystemClock().Steady();
  for (auto& [name, service] : director->services_) {
    if (service.next_change() && *service.next_change() <= now) service.Judge(now);
  }
  director->Publish(nullptr);
  director->SetProbeTargets();
}

void Director::JudgementChanged(ServiceWorkers& service) {
  service.Judge(SystemClock().Steady());
  Publish(nullptr);
  SetProbeTargets();
}

void Director::SetProbeTargets() {
  std::vector<ProbeTarget> targets;
  for (const auto& [service_name, service] : services_) {
    const HealthSettings& health = service.settings().health;
    for (const KnownWorker& worker : service.workers()) {
      if (worker.draining) continue;
      const auto interval =
          worker.health.healthy() ? health.interval : std::min(health.interval, kIntervalWhileOut);
      targets.push_back({NameOf(*worker.endpoint), worker.endpoint->address.ToString(), health.path,
                         interval, health.timeout, health.expected, health.method});
    }
  }
  prober_->SetTargets(std::move(targets));
}

void Director::OnProbe(const std::string& name, const ProbeResult& result) {
  const Place place = Find(name);
  if (place.service == nullptr) return;
  KnownWorker& worker = place.service->workers()[place.worker];
  if (worker.draining) return;
  if (place.service->ObserveProbe(worker, result)) JudgementChanged(*place.service);
}

void Director::OnRefused(const EndpointPointer& endpoint) {
  const Place place = Find(NameOf(*endpoint));
  if (place.service == nullptr) return;
  KnownWorker& worker = place.service->workers()[place.worker];
  if (worker.health.ObserveRefusal("refuses connections")) JudgementChanged(*place.service);
}

void Director::OnFailing(const EndpointPointer& endpoint) {
  const Place place = Find(NameOf(*endpoint));
  // Whether it is ejected or not: it is asked again after as many failures.
  endpoint->failures_in_row.store(0, std::memory_order_relaxed);
  if (place.service == nullptr) return;
  KnownWorker& worker = place.service->workers()[place.worker];
  if (place.service->ObserveFailures(worker, SystemClock().Steady())) {
    JudgementChanged(*place.service);
  }
}

void Director::Drain(Shard::Waiting waiting) {
  listening_.clear();
  for (const auto& shard : shards_) shard->Drain(waiting);
}

}  // namespace gocomet::dataplane
