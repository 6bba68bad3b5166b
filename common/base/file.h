#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet {

// The whole file. Errors name the path; NOT_FOUND where there is none.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Replaces the file in one step: a reader, or a crash, sees the old content or the new one.
absl::Status WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode);

// Makes the directory and its parents where missing; `mode` goes to those it makes.
absl::Status MakeDirectories(const std::string& path, mode_t mode);

}  // namespace gocomet
