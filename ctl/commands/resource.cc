#include "ctl/commands/resource.h"

#include "common/base/text.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

struct Entry {
  Kind kind;
  std::string_view names[4];
};

constexpr Entry kKinds[] = {
    {Kind::kWorker, {"worker", "workers", "wk", "wks"}},
    {Kind::kBalancer, {"balancer", "balancers", "lb", "lbs"}},
    {Kind::kService, {"service", "services", "svc", "svcs"}},
    {Kind::kRevision, {"revision", "revisions", "rev", "revs"}},
    {Kind::kEvent, {"event", "events", "ev", "evs"}},
};

absl::Status UnknownKind(std::string_view word) {
  return absl::InvalidArgumentError(
      Cat("'", word, "': expected workers, balancers, services, revisions or events, then names"));
}

}  // namespace

std::optional<Kind> ParseKind(std::string_view word) {
  for (const Entry& entry : kKinds) {
    for (const std::string_view name : entry.names) {
      if (name == word) return entry.kind;
    }
  }
  return std::nullopt;
}

std::string_view KindName(Kind kind) {
  for (const Entry& entry : kKinds) {
    if (entry.kind == kind) return entry.names[0];
  }
  return "";
}

std::string NameOf(Kind kind, std::string_view name) {
  return Cat(KindName(kind), "/", OneLine(name));
}

absl::StatusOr<Resources> Resources::Parse(const std::vector<std::string>& words) {
  if (words.empty()) return UnknownKind("");
  Resources resources;
  const bool slashed = words[0].find('/') != std::string::npos;
  if (!slashed) {
    const auto kind = ParseKind(words[0]);
    if (!kind) return UnknownKind(words[0]);
    resources.kind = *kind;
    resources.names.assign(words.begin() + 1, words.end());
    return resources;
  }
  for (const std::string& word : words) {
    const size_t slash = word.find('/');
    if (slash == std::string::npos) {
      return absl::InvalidArgumentError(Cat("'", word, "': expected KIND/NAME like the others"));
    }
    const auto kind = ParseKind(std::string_view(word).substr(0, slash));
    if (!kind) return UnknownKind(word);
    if (!resources.names.empty() && *kind != resources.kind) {
      return absl::InvalidArgumentError(Cat("'", word, "': name things of one kind at a time"));
    }
    resources.kind = *kind;
    resources.names.push_back(word.substr(slash + 1));
  }
  return resources;
}

}  // namespace gocomet::ctl
