#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>

// What a Docker engine says when it refuses, in words that say what to do. Pure.
namespace gocomet::controlplane {

// `{"message": "…"}`, or the text itself, shortened.
std::string ParseEngineMessage(std::string_view body);

// The error for an answer of 400 and above: what could not be done, the engine's words, and, where
// they are known, what to do about it. A port or name that is taken gives ALREADY_EXISTS, what is
// missing NOT_FOUND, what can never work so INVALID_ARGUMENT, a full disk RESOURCE_EXHAUSTED, an
// engine in trouble UNAVAILABLE.
absl::Status ToStatus(int http_status, std::string_view body, std::string_view what);

// The same for an error that comes within an answer of 200, as builds and pulls have it.
absl::Status ToStatusInStream(std::string_view message, std::string_view what);

}  // namespace gocomet::controlplane
