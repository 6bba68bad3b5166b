#pragma once

#include <optional>
#include <string_view>

#include "common/base/clock.h"

namespace gocomet::controlplane {

// A time as the engine writes it: RFC 3339 with up to nine digits of fractions, such as
// 2024-02-29T12:30:00.123456789Z or with +01:00. Nothing where it is something else, and for the
// year 1, which the engine writes for "never".
std::optional<WallTime> ParseDockerTime(std::string_view text);

}  // namespace gocomet::controlplane
