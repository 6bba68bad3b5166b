#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace gocomet::ctl {

enum class Kind { kWorker, kBalancer, kService, kRevision, kEvent };

// Singular, plural or short form, as in `worker`, `workers`, `wk`.
std::optional<Kind> ParseKind(std::string_view word);

// `worker`: what names in output begin with, as in `worker/worker-0`.
std::string_view KindName(Kind kind);
std::string NameOf(Kind kind, std::string_view name);  // Without power over the terminal.

// Things as the command line names them: `worker a b` or `worker/a worker/b`.
struct Resources {
  Kind kind = Kind::kWorker;
  std::vector<std::string> names;  // Empty: all of them.

  // INVALID_ARGUMENT says which word is at fault and what was expected.
  static absl::StatusOr<Resources> Parse(const std::vector<std::string>& words);
};

}  // namespace gocomet::ctl
