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

ProbeOutcome OutcomeOf(const ProbeResult& result) {
  if (result.passed) return ProbeOutcome::kPassed;
  if (result.refused) return ProbeOutcome::kRefused;
  return result.timed_out ? ProbeOutcome::kTimedOut : ProbeOutcome::kWrongAnswer;
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

void Director::SetAssignment(Assignment assignment, std::function<void()> adopted) {
  loop_.Post([this, assignment = std::move(assignment), adopted = std::move(adopted)] {
    Apply(assignment, adopted);
  });
}

Director::Known* Director::Find(const EndpointPointer& endpoint) {
  for (Known& known : known_) {
    if (known.endpoint == endpoint) return &known;
  }
  return nullptr;
}

void Director::Apply(const Assignment& assignment, std::function<void()> adopted) {
  settings_ = assignment;
  settings_.endpoints.clear();
  // What was learnt of an endpoint stays as long as it is named with the same identity and address.
  std::vector<Known> next;
  for (const WantedEndpoint& wanted : assignment.endpoints) {
    const auto same = std::find_if(known_.begin(), known_.end(), [&](const Known& known) {
      return known.endpoint && known.endpoint->worker_id == wanted.worker_id &&
             known.endpoint->incarnation == wanted.incarnation &&
             known.endpoint->address == wanted.address;
    });
    Known entry;
    if (same != known_.end()) {
      entry = std::move(*same);
      same->endpoint = nullptr;
    } else {
      entry.endpoint =
          std::make_shared<Endpoint>(wanted.worker_id, wanted.incarnation, wanted.address);
    }
    entry.assigned = true;
    entry.draining = wanted.draining;
    entry.weight = wanted.weight;
    entry.endpoint->draining.store(wanted.draining, std::memory_order_release);
    next.push_back(std::move(entry));
  }
  // Those that are named no more are still reported: while they have requests in flight, and until
  // the next assignment, so that their last numbers arrive.
  for (Known& known : known_) {
    if (!known.endpoint || (!known.assigned && known.endpoint->in_flight.load() == 0)) continue;
    known.assigned = false;
    known.draining = true;
    known.endpoint->draining.store(true, std::memory_order_release);
    next.push_back(std::move(known));
  }
  known_ = std::move(next);
  if (!std::exchange(first_adopted_, true)) {
    adopted = [this, adopted = std::move(adopted)] {
      hooks_.first_adopted();
      if (adopted) adopted();
    };
  }
  Publish(adopted);
  SetProbeTargets();
}

std::vector<Director::Known*> Director::Takers() {
  std::vector<Known*> takers;
  for (Known& known : known_) {
    if (known.assigned && !known.draining) takers.push_back(&known);
  }
  return takers;
}

std::vector<Standing> Director::StandingsOf(const std::vector<Known*>& takers) {
  std::vector<Standing> standings;
  standings.reserve(takers.size());
  for (const Known* known : takers) {
    standings.push_back({.healthy = known->health.healthy(),
                         .takes_connections = known->health.takes_connections(),
                         .ejected_until = known->ejection.until()});
  }
  return standings;
}

void Director::Publish(const std::function<void()>& adopted) {
  const SteadyTime now = SystemClock().Steady();
  const std::vector<Known*> takers = Takers();
  std::optional<SteadyTime> next_change;
  const auto changes_at = [&next_change, now](SteadyTime time) {
    if (time > now && (!next_change || time < *next_change)) next_change = time;
  };
  const auto eligible = ChooseEligible(StandingsOf(takers), settings_.health.panic_percent, now);
  const bool others_serve = table_ && !table_->eligible.empty();
  std::vector<Candidate> chosen;
  size_t next = 0;  // Of `eligible`, which is ascending.
  for (size_t i = 0; i < takers.size(); ++i) {
    Known& known = *takers[i];
    changes_at(known.ejection.until());
    const bool is_chosen = next < eligible.size() && eligible[next] == i;
    // Where nobody else serves, nobody could take what it does not.
    if (is_chosen && !known.routed_to && others_serve) known.slow_start.Begin(now);
    known.routed_to = is_chosen;
    if (!is_chosen) continue;
    ++next;
    // A key's worker must not depend on the time.
    const bool slowly = settings_.balance.algorithm != Algorithm::kConsistentHash;
    const auto time = slowly ? settings_.slow_start : std::chrono::milliseconds(0);
    const uint32_t tenths = known.slow_start.Tenths(now, time);
    if (const auto step = known.slow_start.NextStep(now, time)) changes_at(*step);
    chosen.push_back({known.endpoint, known.weight * tenths});
  }
  auto table =
      std::make_shared<RoutingTable>(++table_number_, chosen, settings_.balance, table_.get());
  table->failures_to_tell = settings_.ejection.failures;
  table_ = table;
  WakeAt(next_change, now);

  auto missing = std::make_shared<std::atomic<size_t>>(shards_.size());
  for (const auto& shard : shards_) {
    shard->Adopt(table, [this, missing, adopted] {
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
  static_cast<Director*>(self)->JudgementChanged();
}

void Director::JudgementChanged() {
  Publish(nullptr);
  SetProbeTargets();
}

void Director::SetProbeTargets() {
  const HealthSettings& health = settings_.health;
  std::vector<ProbeTarget> targets;
  for (const Known* known : Takers()) {
    const auto interval =
        known->health.healthy() ? health.interval : std::min(health.interval, kIntervalWhileOut);
    targets.push_back({NameOf(*known->endpoint), known->endpoint->address.ToString(), health.path,
                       interval, health.timeout, health.expected});
  }
  prober_->SetTargets(std::move(targets));
}

void Director::OnProbe(const std::string& name, const ProbeResult& result) {
  for (Known* known : Takers()) {
    if (NameOf(*known->endpoint) != name) continue;
    const ProbeOutcome outcome = OutcomeOf(result);
    if (outcome != ProbeOutcome::kRefused) {
      known->endpoint->refuses.store(false, std::memory_order_relaxed);
    }
    if (known->health.ObserveProbe(outcome, result.result, settings_.health.policy)) {
      JudgementChanged();
    }
    return;
  }
}

void Director::OnRefused(const EndpointPointer& endpoint) {
  Known* known = Find(endpoint);
  if (known != nullptr && known->health.ObserveRefusal("refuses connections")) JudgementChanged();
}

void Director::OnFailing(const EndpointPointer& endpoint) {
  Known* known = Find(endpoint);
  const SteadyTime now = SystemClock().Steady();
  // Whether it is ejected or not: it is asked again after as many failures.
  endpoint->failures_in_row.store(0, std::memory_order_relaxed);
  if (known == nullptr || known->ejection.active(now)) return;
  if (!MayEjectOneMore(StandingsOf(Takers()), now)) return;
  known->ejection.Eject(now, settings_.ejection);
  JudgementChanged();
}

void Director::Drain(Shard::Waiting waiting) {
  listening_.clear();
  for (const auto& shard : shards_) shard->Drain(waiting);
}

std::vector<EndpointStatus> Director::Status() const {
  const SteadyTime now = SystemClock().Steady();
  std::vector<EndpointStatus> all;
  for (const Known& known : known_) {
    EndpointStatus status{known.endpoint, known.health.healthy(), known.health.reason()};
    if (status.healthy && known.ejection.active(now)) {
      status.healthy = false;
      status.health_reason =
          Cat("ejected for ", FormatDuration(known.ejection.length()), ": ",
              settings_.ejection.failures, " connections in a row failed or broke");
    }
    all.push_back(std::move(status));
  }
  return all;
}

uint64_t Director::connections() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->counters().connections.load();
  return sum;
}

uint64_t Director::requests() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->counters().requests.load();
  return sum;
}

LatencyCounts Director::latencies() const {
  LatencyCounts sum;
  for (const auto& shard : shards_) shard->latencies().AddTo(sum);
  return sum;
}

std::map<int, uint64_t> Director::own_answers() const {
  std::map<int, uint64_t> sums;
  for (const auto& shard : shards_) {
    for (int status = 0; status < 600; ++status) {
      const uint64_t count = shard->counters().own_answers[status].load();
      if (count > 0) sums[status] += count;
    }
  }
  return sums;
}

}  // namespace gocomet::dataplane
