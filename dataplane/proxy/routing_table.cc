#include "dataplane/proxy/routing_table.h"

#include <algorithm>
#include <utility>

#include "dataplane/balance/stable_hash.h"

namespace gocomet::dataplane {
namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

RoutingTable::RoutingTable(std::span<const Candidate> candidates, Algorithm how,
                           const RoutingTable* previous)
    : algorithm(how) {
  for (const Candidate& candidate : candidates) {
    eligible.push_back(candidate.endpoint);
    weights.push_back(std::max(1U, candidate.weight));
  }
  if (eligible.empty()) return;
  uint64_t position = 0;
  if (previous != nullptr && previous->choice_) {
    if (previous->eligible == eligible && previous->weights == weights &&
        previous->algorithm == algorithm) {
      choice_ = previous->choice_;
      return;
    }
    position =
        std::visit(Overloaded{[](const TwoChoices&) -> uint64_t { return 0; },
                              [](const auto& choice) -> uint64_t { return choice.position(); }},
                   *previous->choice_);
  }
  choice_ = MakeChoice(*this, position);
}

std::shared_ptr<RoutingTable::Choice> RoutingTable::MakeChoice(const RoutingTable& table,
                                                               uint64_t position) {
  const std::vector<uint32_t>& weights = table.weights;
  switch (table.algorithm) {
    case Algorithm::kRoundRobin: {
      const bool equal = std::adjacent_find(weights.begin(), weights.end(),
                                            std::not_equal_to<>()) == weights.end();
      if (equal) {
        return std::make_shared<Choice>(std::in_place_type<RoundRobin>, weights.size(), position);
      }
      break;
    }
    case Algorithm::kWeighted:
      break;
    case Algorithm::kLeastRequests:
      return std::make_shared<Choice>(std::in_place_type<LeastRequests>, weights, position);
    case Algorithm::kTwoChoices:
      return std::make_shared<Choice>(std::in_place_type<TwoChoices>, weights);
    case Algorithm::kConsistentHash: {
      std::vector<uint64_t> identities;
      for (const EndpointPointer& endpoint : table.eligible) {
        identities.push_back(StableHash(endpoint->worker_id));
      }
      return std::make_shared<Choice>(std::in_place_type<ConsistentHash>, identities, weights,
                                      position);
    }
  }
  return std::make_shared<Choice>(std::in_place_type<WeightedRoundRobin>, weights, position);
}

template <typename Usable>
std::optional<size_t> RoutingTable::Choose(const RequestFacts& facts, const Usable& usable) const {
  const auto load = [this](size_t place) {
    return eligible[place]->in_flight.load(std::memory_order_relaxed);
  };
  return std::visit(
      Overloaded{[&](RoundRobin& choice) { return choice.Next(usable); },
                 [&](WeightedRoundRobin& choice) { return choice.Next(usable); },
                 [&](LeastRequests& choice) { return choice.Next(load, usable); },
                 [&](const TwoChoices& choice) { return choice.Next(facts.random, load, usable); },
                 [&](ConsistentHash& choice) { return choice.Next(facts.key_hash, usable); }},
      *choice_);
}

EndpointPointer RoutingTable::Pick(const RequestFacts& facts,
                                   std::span<const EndpointPointer> tried) const {
  if (!choice_) return nullptr;
  const auto untried = [&](size_t place) {
    return std::find(tried.begin(), tried.end(), eligible[place]) == tried.end();
  };
  const auto place = Choose(facts, [&](size_t at) {
    return !eligible[at]->refuses.load(std::memory_order_relaxed) && untried(at);
  });
  if (place) return eligible[*place];
  // All that are left refused a moment ago. One may take connections again, and asking is cheap.
  const auto last_resort = Choose(facts, untried);
  return last_resort ? eligible[*last_resort] : nullptr;
}

}  // namespace gocomet::dataplane
