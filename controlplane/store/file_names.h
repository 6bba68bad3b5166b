#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// `PATH.KIND-20261124T161131Z`, a name that no file has yet: what a copy of the database, or a
// damaged one, is called.
std::string FreeNameBeside(const std::string& path, std::string_view kind);

// Renames the database, with its log and shared-memory file, to `PATH.damaged-TIME`; nothing is
// deleted. Returns the new name.
absl::StatusOr<std::string> SetAsideDamaged(const std::string& path);

}  // namespace gocomet::controlplane
