#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

// Who may call the control plane, as values. Pure.
namespace gocomet::controlplane {

// Each may do what those before it may.
enum class Role : uint8_t { kNobody = 0, kViewer = 1, kOperator = 2, kAdmin = 3 };

// `nobody`, `viewer`, `operator`, `admin`.
const char* ToString(Role role);

// One of the last three; nothing else is a role that can be given.
std::optional<Role> ParseRole(std::string_view text);

// SHA-256 (FIPS 180-4).
using TokenHash = std::array<uint8_t, 32>;

// A token that somebody was given. The token itself is not kept anywhere.
struct AccessToken {
  std::string id;    // Chosen by us, unique for ever, no secret: 12 hex digits.
  std::string name;  // Chosen by people, unique among those that exist.
  Role role = Role::kNobody;
  TokenHash hash{};
  WallTime create_time{};
  WallTime expire_time{};  // Epoch: never.
  std::string author;      // Who made it.
};

// One step of the tokens' history, as the store keeps it.
struct AccessTokenChange {
  AccessToken token;
  bool is_deleted = false;  // Only `token.id` counts then.
};

}  // namespace gocomet::controlplane
