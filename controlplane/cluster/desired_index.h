#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "controlplane/cluster/plan.h"

namespace gocomet::controlplane {

// What is wanted, with its services by name. Immutable; neither copied nor moved, since the names
// are its own.
class DesiredIndex {
 public:
  explicit DesiredIndex(Desired desired) : desired_(std::move(desired)) {
    for (const ServiceDesire& desire : desired_.services) by_name_[desire.spec.name] = &desire;
  }
  DesiredIndex(const DesiredIndex&) = delete;
  DesiredIndex& operator=(const DesiredIndex&) = delete;

  const Desired& desired() const { return desired_; }
  // Null where there is none.
  const ServiceDesire* Find(const std::string& service) const {
    const auto found = by_name_.find(service);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  const Desired desired_;
  std::unordered_map<std::string_view, const ServiceDesire*> by_name_;
};

}  // namespace gocomet::controlplane
