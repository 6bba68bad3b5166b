#pragma once

#include <chrono>
#include <string>

namespace gocomet::dataplane {

// Appends a time since 1970 in UTC with microseconds, such as 2026-01-31T23:59:59.123456Z (RFC
// 3339).
void AppendRfc3339(std::chrono::nanoseconds since_1970, std::string& out);

}  // namespace gocomet::dataplane
