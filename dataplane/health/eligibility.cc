#include "dataplane/health/eligibility.h"

#include <algorithm>

namespace gocomet::dataplane {
namespace {

std::vector<size_t> Ejected(std::span<const Standing> all, SteadyTime now) {
  std::vector<size_t> ejected;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].ejected_until > now) ejected.push_back(i);
  }
  return ejected;
}

template <typename Condition>
std::vector<size_t> Where(std::span<const Standing> all, const Condition& condition) {
  std::vector<size_t> places;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].takes_connections && condition(i)) places.push_back(i);
  }
  return places;
}

}  // namespace

std::vector<size_t> ChooseEligible(std::span<const Standing> all, uint32_t panic_percent,
                                   SteadyTime now) {
  std::vector<size_t> ejected = Ejected(all, now);
  std::stable_sort(ejected.begin(), ejected.end(),
                   [&](size_t a, size_t b) { return all[a].ejected_until > all[b].ejected_until; });
  ejected.resize(std::min(ejected.size(), all.size() / 2));
  std::vector<bool> is_out(all.size(), false);
  for (const size_t place : ejected) is_out[place] = true;

  auto available = Where(all, [&](size_t i) { return all[i].healthy && !is_out[i]; });
  if (available.size() * 100 < all.size() * panic_percent) {
    return Where(all, [](size_t) { return true; });
  }
  if (!available.empty()) return available;
  return Where(all, [&](size_t i) { return all[i].healthy; });
}

bool MayEjectOneMore(std::span<const Standing> all, SteadyTime now) {
  return (Ejected(all, now).size() + 1) * 2 <= all.size();
}

}  // namespace gocomet::dataplane
