#include "dataplane/app/director.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

constexpr uint32_t kPanicPercent = 30;

}  // namespace

std::vector<size_t> ChooseEligible(const std::vector<const EndpointHealth*>& healths,
                                   uint32_t panic_percent) {
  size_t healthy = 0;
  for (const EndpointHealth* health : healths) healthy += health->healthy() ? 1 : 0;
  const bool panic = healthy * 100 < healths.size() * panic_percent;
  std::vector<size_t> eligible;
  for (size_t i = 0; i < healths.size(); ++i) {
    if (healths[i]->healthy() || (panic && healths[i]->only_slow())) eligible.push_back(i);
  }
  return eligible;
}

Director::Director(EventLoop& loop, Hooks hooks)
    : loop_(loop),
      hooks_(std::move(hooks)),
      prober_(std::make_unique<Prober>([this](const std::string& name, ProbeResult result) {
        loop_.Post([this, name, result = std::move(result)] { OnProbe(name, result); });
      })) {}

Director::~Director() {
  prober_.reset();
  shards_.clear();
}

absl::Status Director::Start(const Address& listen, int threads, const Limits& limits) {
  // Sockets that share a port would hide that somebody else has it.
  GOCOMET_RETURN_IF_ERROR(CheckAddressIsFree(listen));
  for (int i = 0; i < threads; ++i) {
    GOCOMET_ASSIGN_OR_RETURN(UniqueFd listener, Listen(listen));
    Shard::Hooks hooks;
    hooks.refused = [this](const EndpointPointer& endpoint) {
      loop_.Post([this, endpoint] { OnRefused(endpoint); });
    };
    hooks.nothing_in_flight = [this] { loop_.Post([this] { hooks_.nothing_in_flight(); }); };
    hooks.drained = [this] {
      loop_.Post([this] {
        if (++drained_shards_ == shards_.size()) hooks_.drained();
      });
    };
    shards_.push_back(std::make_unique<Shard>(i, std::move(listener), limits, std::move(hooks)));
  }
  for (const auto& shard : shards_) shard->Start();
  return absl::OkStatus();
}

void Director::SetAssignment(Assignment assignment, std::function<void()> adopted) {
  loop_.Post([this, assignment = std::move(assignment), adopted = std::move(adopted)] {
    Apply(assignment, adopted);
  });
}

std::string Director::NameOf(const Endpoint& endpoint) {
  return Cat(endpoint.worker_id, "/", endpoint.incarnation);
}

Director::Known* Director::Find(const std::string& name) {
  for (Known& known : known_) {
    if (NameOf(*known.endpoint) == name) return &known;
  }
  return nullptr;
}

void Director::Apply(const Assignment& assignment, std::function<void()> adopted) {
  health_ = assignment.health;
  balance_ = assignment.balance;
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
  Publish(std::move(adopted));
  SetProbeTargets();
}

void Director::Publish(std::function<void()> adopted) {
  std::vector<const EndpointHealth*> healths;
  std::vector<Candidate> candidates;
  for (const Known& known : known_) {
    if (known.draining || !known.assigned) continue;
    healths.push_back(&known.health);
    candidates.push_back({known.endpoint, known.weight});
  }
  std::vector<Candidate> chosen;
  for (const size_t i : ChooseEligible(healths, kPanicPercent)) chosen.push_back(candidates[i]);
  auto table =
      std::make_shared<const RoutingTable>(++table_number_, chosen, balance_, table_.get());
  table_ = table;

  auto missing = std::make_shared<std::atomic<size_t>>(shards_.size());
  for (const auto& shard : shards_) {
    shard->Adopt(table, [this, missing, adopted] {
      if (missing->fetch_sub(1) == 1 && adopted) loop_.Post(adopted);
    });
  }
}

void Director::SetProbeTargets() {
  std::vector<ProbeTarget> targets;
  for (const Known& known : known_) {
    if (known.draining || !known.assigned) continue;
    targets.push_back({NameOf(*known.endpoint), known.endpoint->address.ToString(), health_.path,
                       health_.interval, health_.timeout});
  }
  prober_->SetTargets(std::move(targets));
}

void Director::OnProbe(const std::string& name, const ProbeResult& result) {
  Known* known = Find(name);
  if (known == nullptr) return;
  if (result.passed) known->endpoint->refuses.store(false, std::memory_order_relaxed);
  if (known->health.ObserveProbe(result.passed, result.timed_out, result.result, health_.policy)) {
    Publish(nullptr);
  }
}

void Director::OnRefused(const EndpointPointer& endpoint) {
  Known* known = Find(NameOf(*endpoint));
  if (known != nullptr && known->health.ObserveRefusal("refuses connections")) Publish(nullptr);
}

void Director::Drain() {
  for (const auto& shard : shards_) shard->Drain();
}

std::vector<EndpointStatus> Director::Status() const {
  std::vector<EndpointStatus> all;
  for (const Known& known : known_) {
    all.push_back({known.endpoint, known.health.healthy(), known.health.reason()});
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
