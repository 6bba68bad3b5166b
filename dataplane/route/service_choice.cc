#include "dataplane/route/service_choice.h"

#include <vector>

namespace gocomet::dataplane {
namespace {

std::vector<uint32_t> WeightsOf(std::span<const RouteTarget> targets) {
  std::vector<uint32_t> weights;
  for (const RouteTarget& target : targets) weights.push_back(target.weight);
  return weights;
}

}  // namespace

ServiceChoice::ServiceChoice(std::span<const RouteTarget> targets, bool by_key, uint64_t position)
    : turns_(WeightsOf(targets), position) {
  if (!by_key) return;
  std::vector<uint64_t> identities;
  for (const RouteTarget& target : targets) identities.push_back(StableHash(target.service));
  by_key_.emplace(identities, WeightsOf(targets));
}

}  // namespace gocomet::dataplane
