#pragma once

#include <span>
#include <string_view>

#include "controlplane/model/access_token.h"

// Which role each method of the public address takes: the one place that says so.
namespace gocomet::controlplane {

struct MethodRule {
  std::string_view method;  // `/gocomet.v1.WorkerService/GetWorker`
  Role role = Role::kAdmin;
  bool is_change = false;  // Recorded as an event with its author.
};

// In the order of their services.
std::span<const MethodRule> MethodRules();

// The rule of a method. One that has none, a new one that was forgotten or one that does not exist,
// takes an admin; its rule's `method` is empty.
const MethodRule& RuleOf(std::string_view method);

}  // namespace gocomet::controlplane
