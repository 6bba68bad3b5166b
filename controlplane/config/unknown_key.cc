#include "controlplane/config/unknown_key.h"

#include <algorithm>
#include <vector>

#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/nearest_key.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kNamedMax = 4;  // Keys of a group that an expectation lists.

// A group within the tree, and the words for its place.
struct Scope {
  const ConfigKey* group = nullptr;
  const Scope* above = nullptr;
  std::string name;    // `health`, or `services` for what stands below it.
  std::string called;  // `a service`, of an entry.

  std::string Where(const Scope& seen_from) const {
    if (above == nullptr) return "at the top level";
    if (!called.empty()) return Cat("below ", called, " in `", name, ":`");
    if (above == &seen_from || above->above == nullptr) return Cat("below `", name, ":`");
    return Cat("below `", name, ":` of ", above->called);
  }
  bool IsBelow(const Scope& other) const {
    for (const Scope* scope = above; scope != nullptr; scope = scope->above) {
      if (scope == &other) return true;
    }
    return false;
  }
};

using Scopes = std::vector<std::unique_ptr<Scope>>;

void AddScopes(Scopes& scopes, const ConfigKey& group, const Scope* above, std::string name,
               std::string called) {
  scopes.push_back(
      std::make_unique<Scope>(Scope{&group, above, std::move(name), std::move(called)}));
  const Scope* here = scopes.back().get();
  for (const ConfigKey& key : group.group->keys) {
    if (key.group) AddScopes(scopes, key, here, key.name, "");
    if (key.entries && key.entries->entry->group) {
      AddScopes(scopes, *key.entries->entry, here, key.name, key.entries->called);
    }
  }
}

// Outer ones first.
const Scopes& AllScopes() {
  static const Scopes scopes = [] {
    Scopes all;
    AddScopes(all, ConfigRoot(), nullptr, "", "");
    return all;
  }();
  return scopes;
}

// `key`, or `group.key`, which is how problems name it.
const ConfigKey* FindIn(const Scope& scope, std::string_view written) {
  const size_t dot = written.rfind('.');
  const bool has_group = dot != std::string_view::npos;
  if (has_group && written.substr(0, dot) != scope.name) return nullptr;
  const std::string_view name = has_group ? written.substr(dot + 1) : written;
  const auto& keys = scope.group->group->keys;
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& key) { return key.name == name; });
  return found != keys.end() ? &*found : nullptr;
}

std::string WithHyphens(std::string_view written) {
  std::string text(written);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

const ConfigKey* FindSynonym(const Scope& scope, std::string_view written) {
  for (const ConfigKey& key : scope.group->group->keys) {
    for (const std::string& synonym : key.synonyms) {
      if (synonym == written || synonym == WithHyphens(written)) return &key;
    }
  }
  return nullptr;
}

}  // namespace

std::string ExplainUnknownKey(const ConfigKey& group, std::string_view written) {
  const Scope* here = nullptr;
  for (const auto& scope : AllScopes()) {
    if (scope->group == &group) here = scope.get();
  }
  if (const ConfigKey* meant = FindSynonym(*here, written)) {
    return Cat("unknown key; did you mean `", meant->name, "`?");
  }
  for (const bool below : {true, false}) {
    for (const auto& scope : AllScopes()) {
      if (below ? !scope->IsBelow(*here) : !here->IsBelow(*scope)) continue;
      if (const ConfigKey* meant = FindIn(*scope, written)) {
        return Cat("unknown key; did you mean `", meant->name, "` ", scope->Where(*here), "?");
      }
    }
  }
  std::vector<std::string_view> names;
  for (const ConfigKey& key : group.group->keys) names.push_back(key.name);
  if (const auto nearest = NearestOf(written, names)) {
    return Cat("unknown key; did you mean `", *nearest, "`?");
  }
  std::string all;
  for (const std::string_view name : names) all += Cat(all.empty() ? "" : ", ", name);
  return Cat("unknown key; expected one of ", all);
}

std::string Expectation(const ConfigKey& key) {
  if (!key.expected.empty() || !key.group) return key.expected;
  const auto& keys = key.group->keys;
  const bool is_long = keys.size() > kNamedMax;
  const size_t named = is_long ? 3 : keys.size();
  std::string text = is_long ? "keys such as " : "";
  for (size_t i = 0; i < named; ++i) {
    if (i > 0) text += i + 1 < named ? ", " : is_long ? " and " : " or ";
    text += keys[i].name;
  }
  return text + " below it";
}

}  // namespace gocomet::controlplane
