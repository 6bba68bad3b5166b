#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "dataplane/balance/consistent_hash.h"
#include "dataplane/balance/least_requests.h"
#include "dataplane/balance/round_robin.h"
#include "dataplane/balance/settings.h"
#include "dataplane/balance/two_choices.h"
#include "dataplane/balance/weighted_round_robin.h"
#include "dataplane/proxy/endpoint.h"

namespace gocomet::dataplane {

// What of a request its worker is chosen by.
struct RequestFacts {
  std::optional<uint64_t> key_hash;  // Where requests with one key are kept together.
  uint64_t random = 0;               // Of this request alone.
};

// An endpoint that may be routed to, and its share among the others.
struct Candidate {
  EndpointPointer endpoint;
  uint32_t weight = 1;
};

// The workers of one service that requests may go to, by one algorithm: immutable but for the
// turns, published whole, replaced whole.
class RoutingTable {
 public:
  // Routes to nobody.
  RoutingTable() = default;
  // `candidates` in ordinal order, without those that drain. Turns go on where those of `previous`
  // stood, and undisturbed where nothing changed that they depend on.
  explicit RoutingTable(std::span<const Candidate> candidates,
                        Algorithm algorithm = Algorithm::kRoundRobin,
                        const RoutingTable* previous = nullptr);

  // The endpoint that the algorithm chooses, but none of `tried`, and none that refuses connections
  // while another one does not. Null where there is none. Any thread; takes no lock and allocates
  // nothing.
  EndpointPointer Pick(const RequestFacts& facts, std::span<const EndpointPointer> tried) const;

  std::vector<EndpointPointer> eligible;  // The candidates' endpoints.
  std::vector<uint32_t> weights;          // Theirs.
  Algorithm algorithm = Algorithm::kRoundRobin;

 private:
  // The algorithm over the places of `eligible`. With round robin, workers of unequal weight (those
  // that start slowly) need the weighted one.
  using Choice =
      std::variant<RoundRobin, WeightedRoundRobin, LeastRequests, TwoChoices, ConsistentHash>;

  static std::shared_ptr<Choice> MakeChoice(const RoutingTable& table, uint64_t position);
  template <typename Usable>
  std::optional<size_t> Choose(const RequestFacts& facts, const Usable& usable) const;

  std::shared_ptr<Choice> choice_;  // Null where `eligible` is empty.
};

}  // namespace gocomet::dataplane
