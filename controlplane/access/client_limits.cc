#include "controlplane/access/client_limits.h"

namespace gocomet::controlplane {
namespace {

// Of those who come while too many are busy.
const std::string kOthers = "others";
// A sweep looks at all of them, so not every newcomer may cause one.
constexpr std::chrono::milliseconds kSweepInterval{100};

}  // namespace

std::optional<std::chrono::milliseconds> ClientLimits::TakeCall(const std::string& key,
                                                                SteadyTime now) {
  const std::lock_guard hold(mutex_);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kClientsMax && now >= next_sweep_) ForgetIdle(now);
    const bool too_many = buckets_.size() >= kClientsMax;
    found = buckets_.try_emplace(too_many ? kOthers : key, calls_, now).first;
  }
  return found->second.Take(now);
}

void ClientLimits::ForgetIdle(SteadyTime now) {
  next_sweep_ = now + kSweepInterval;
  absl::erase_if(buckets_, [now](auto& entry) { return entry.second.IsFull(now); });
}

std::shared_ptr<void> ClientLimits::TakeStream(const std::string& key, int most) {
  {
    const std::lock_guard hold(streams_->mutex);
    int& open = streams_->open[key];
    if (open >= most) return nullptr;
    ++open;
  }
  const auto give_back = [streams = streams_, key](void*) {
    const std::lock_guard hold(streams->mutex);
    const auto found = streams->open.find(key);
    if (--found->second == 0) streams->open.erase(found);
  };
  return {streams_.get(), give_back};
}

size_t ClientLimits::clients() const {
  const std::lock_guard hold(mutex_);
  return buckets_.size();
}

}  // namespace gocomet::controlplane
