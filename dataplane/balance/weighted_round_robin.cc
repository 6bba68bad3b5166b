#include "dataplane/balance/weighted_round_robin.h"

#include <algorithm>
#include <numeric>

namespace gocomet::dataplane {
namespace {

// The smallest whole numbers in the same proportion, or near it where the sum would be too large.
std::vector<int64_t> Reduced(std::span<const uint32_t> weights) {
  std::vector<int64_t> reduced(weights.size());
  std::transform(weights.begin(), weights.end(), reduced.begin(),
                 [](uint32_t weight) { return std::max<int64_t>(1, weight); });
  const int64_t sum = std::accumulate(reduced.begin(), reduced.end(), int64_t{0});
  if (sum > static_cast<int64_t>(kSequenceMax)) {
    const double scale = static_cast<double>(kSequenceMax) / static_cast<double>(sum);
    for (int64_t& weight : reduced) {
      weight = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(weight) * scale));
    }
  }
  int64_t divisor = 0;
  for (const int64_t weight : reduced) divisor = std::gcd(divisor, weight);
  for (int64_t& weight : reduced) weight /= divisor;
  return reduced;
}

}  // namespace

std::vector<uint32_t> SmoothSequence(std::span<const uint32_t> weights) {
  const std::vector<int64_t> shares = Reduced(weights);
  const int64_t round = std::accumulate(shares.begin(), shares.end(), int64_t{0});
  std::vector<uint32_t> sequence;
  sequence.reserve(static_cast<size_t>(round));
  std::vector<int64_t> credit(shares.size(), 0);
  for (int64_t turn = 0; turn < round; ++turn) {
    for (size_t i = 0; i < credit.size(); ++i) credit[i] += shares[i];
    const auto richest = std::max_element(credit.begin(), credit.end());
    *richest -= round;
    sequence.push_back(static_cast<uint32_t>(richest - credit.begin()));
  }
  return sequence;
}

}  // namespace gocomet::dataplane
