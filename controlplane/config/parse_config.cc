#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/config_text.h"
#include "controlplane/config/unknown_key.h"
#include "controlplane/config/utf8.h"
#include "controlplane/config/validate_config.h"
#include "controlplane/config/yaml_tree.h"

namespace gocomet::controlplane {
namespace {

using Kind = YamlNode::Kind;

constexpr size_t kProblemsMax = 1000;
constexpr size_t kShownBytesMax = 40;

// The beginning of what a person wrote, on one line.
std::string Shown(std::string_view text) {
  std::string shown;
  while (!text.empty() && shown.size() < kShownBytesMax) {
    const size_t length = std::max<size_t>(1, Utf8CharacterLength(text));
    shown += text[0] >= 0 && text[0] < ' ' ? std::string(" ") : std::string(text.substr(0, length));
    text.remove_prefix(length);
  }
  return text.empty() ? shown : shown + "…";
}

std::string Got(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kEmpty:
      return "nothing";
    case Kind::kNull:
    case Kind::kPlain:
      return Cat("`", Shown(node.text), "`");
    case Kind::kQuoted:
      return Cat("the text \"", Shown(node.text), "\"");
    case Kind::kSequence:
      return "a list";
    case Kind::kMapping:
      return "a mapping";
    case Kind::kRefused:
      break;
  }
  return "something else";
}

// Of what may be a secret.
std::string KindOf(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kSequence:
    case Kind::kMapping:
    case Kind::kNull:
      return Got(node);
    default:
      return "another one";
  }
}

class Reader {
 public:
  Reader(std::string_view file_name, ParsedConfig& parsed)
      : file_name_(file_name), parsed_(parsed) {}

  void Read(const YamlDocument& document) {
    for (const YamlFault& fault : document.faults) Problem(fault.place, "", fault.message);
    const YamlNode& root = document.root;
    parsed_.file.config.services.clear();
    if (root.kind == Kind::kMapping) {
      ReadGroup(ConfigRoot(), root, root.place, &parsed_.file, "");
    } else if (root.kind != Kind::kEmpty && root.kind != Kind::kRefused) {
      Problem(root.place, "", Cat("expected keys and values such as `worker: 3`, got ", Got(root)));
    }
    CompleteServices();
    if (document.complete) Validate();
    std::stable_sort(parsed_.problems.begin(), parsed_.problems.end(), ComesBefore);
    LimitProblems();
  }

 private:
  // Calls `read` with each key that is one, and that stands there for the first time.
  template <typename ReadEntry>
  void EachEntry(const YamlNode& mapping, const std::string& path, ReadEntry read) {
    for (size_t i = 0; i + 1 < mapping.children.size() && !Full(); i += 2) {
      const YamlNode& key = mapping.children[i];
      if (key.kind == Kind::kRefused) continue;
      if (key.kind == Kind::kSequence || key.kind == Kind::kMapping) {
        Problem(key.place, path, Cat("expected a key, got ", Got(key)));
        continue;
      }
      const std::string below = path.empty() ? key.text : Cat(path, ".", key.text);
      const auto [first, is_new] = parsed_.places.try_emplace(below, key.place);
      if (is_new) {
        read(key, mapping.children[i + 1], below);
      } else {
        Problem(key.place, below,
                Cat("is set twice, first on line ", first->second.line, "; remove one of them"));
      }
    }
  }

  void ReadGroup(const ConfigKey& group, const YamlNode& mapping, Place place, void* owner,
                 const std::string& path) {
    void* inner = group.group->enter(owner);
    bool is_clear = true;  // What its own values are.
    EachEntry(mapping, path, [&](const YamlNode& key, const YamlNode& value, const auto& below) {
      const auto& keys = group.group->keys;
      const size_t problems_before = problems_seen_;
      const auto known = std::find_if(keys.begin(), keys.end(),
                                      [&](const ConfigKey& each) { return each.name == key.text; });
      if (known == keys.end()) {
        Problem(key.place, below, ExplainUnknownKey(group, key.text));
      } else {
        ReadValue(*known, key.place, value, inner, below);
      }
      const bool is_group = known != keys.end() && known->group.has_value();
      is_clear = is_clear && (is_group || problems_seen_ == problems_before);
    });
    if (is_clear) CheckGroup(group, place, inner, path);
  }

  // What its keys mean together; only where each of their own values is fine.
  void CheckGroup(const ConfigKey& group, Place place, const void* inner, const std::string& path) {
    for (const ConfigKey& key : group.group->keys) {
      const std::string below = path.empty() ? key.name : Cat(path, ".", key.name);
      const auto found = parsed_.places.find(below);
      const bool is_there = found != parsed_.places.end();
      if (key.is_required && !is_there) {
        Problem(place, path, Cat("has no `", key.name, "`; expected ", Expectation(key)));
      } else if (is_there && key.applies && !key.applies(inner)) {
        Problem(found->second, below, Cat("is only for ", key.applies_to, "; remove one of them"));
      }
    }
  }

  void ReadValue(const ConfigKey& key, Place key_place, const YamlNode& value, void* owner,
                 const std::string& path) {
    if (value.kind == Kind::kRefused) return;
    if (value.kind == Kind::kEmpty) {
      return Problem(key_place, path, Cat("has no value; expected ", Expectation(key)));
    }
    if (value.kind == Kind::kMapping && key.group) {
      return ReadGroup(key, value, key_place, owner, path);
    }
    if (value.kind == Kind::kMapping && key.entries && key.entries->named) {
      return ReadMapping(*key.entries, value, owner, path);
    }
    if (value.kind == Kind::kSequence && key.entries && !key.entries->named) {
      return ReadList(*key.entries, value, owner, path);
    }
    if (key.scalar) parsed_.places[path] = value.place;
    const bool is_scalar = value.kind != Kind::kSequence && value.kind != Kind::kMapping;
    if (is_scalar && key.scalar && key.scalar->read(value, owner)) return;
    std::string message =
        Cat("expected ", Expectation(key), ", got ", key.is_hidden ? KindOf(value) : Got(value));
    if (value.kind == Kind::kQuoted && MeantWithoutQuotes(key, value, owner)) {
      message += "; write it without quotes";
    }
    Problem(value.place, path, std::move(message));
  }

  void ReadMapping(const ConfigKey::Entries& entries, const YamlNode& mapping, void* owner,
                   const std::string& path) {
    if (TooMany(entries, mapping.children.size() / 2, mapping.place, path)) return;
    EachEntry(mapping, path, [&](const YamlNode& key, const YamlNode& value, const auto& below) {
      const bool is_name = entries.accepts_name(key.text);
      if (!is_name) {
        Problem(key.place, below,
                Cat("expected ", entries.name_expected, ", got `", Shown(key.text), "`"));
      }
      // What is below a name that is refused is read all the same, for its problems.
      const auto scratch = is_name ? nullptr : entries.blank("");
      ReadValue(*entries.entry, key.place, value,
                is_name ? entries.add(owner, key.text) : scratch.get(), below);
    });
    if (entries.settle) entries.settle(owner);
  }

  void ReadList(const ConfigKey::Entries& entries, const YamlNode& list, void* owner,
                const std::string& path) {
    if (TooMany(entries, list.children.size(), list.place, path)) return;
    for (size_t i = 0; i < list.children.size() && !Full(); ++i) {
      const YamlNode& value = list.children[i];
      const std::string below = Cat(path, "[", i, "]");
      parsed_.places.try_emplace(below, value.place);
      ReadValue(*entries.entry, value.place, value, entries.add(owner, ""), below);
    }
    if (entries.settle) entries.settle(owner);
  }

  bool TooMany(const ConfigKey::Entries& entries, size_t count, Place place,
               const std::string& path) {
    if (count <= entries.max) return false;
    Problem(place, path, Cat("has ", count, " entries; expected at most ", entries.max));
    return true;
  }

  static bool MeantWithoutQuotes(const ConfigKey& key, YamlNode value, void* owner) {
    value.kind = Kind::kPlain;
    return key.scalar && key.scalar->read(value, owner);
  }

  // The service `worker` is there where a flat key is about it, or where there is no other.
  void CompleteServices() {
    auto& services = parsed_.file.config.services;
    bool wanted = !parsed_.places.contains("services");
    for (const ConfigKey& key : ConfigRoot().group->keys) {
      wanted |= key.part == ConfigKey::Part::kService && parsed_.places.contains(key.name);
    }
    if (wanted) FlatService(parsed_.file);
    for (Service& service : services) {
      const size_t endpoints = service.workload.endpoints.size();
      if (endpoints > 0) service.replicas = static_cast<uint32_t>(endpoints);
    }
    std::sort(services.begin(), services.end(),
              [](const Service& a, const Service& b) { return a.name < b.name; });
    for (const ConfigKey& key : ConfigRoot().group->keys) {
      if (key.name != "services") continue;
      RefuseDoubles(key.entries->entry->group->keys, Cat("services.", kFlatService));
    }
  }

  // What a flat key and one of the entry of its service both say.
  void RefuseDoubles(const std::vector<ConfigKey>& keys, const std::string& path) {
    for (const ConfigKey& key : keys) {
      const std::string below = Cat(path, ".", key.name);
      const auto place = parsed_.places.find(below);
      if (place == parsed_.places.end()) continue;
      const auto flat = parsed_.places.find(key.flat);
      if (!key.flat.empty() && flat != parsed_.places.end()) {
        Problem(place->second, below,
                Cat("is set twice, also as `", key.flat, "` on line ", flat->second.line,
                    "; remove one of them"));
      }
      if (key.group) RefuseDoubles(key.group->keys, below);
    }
  }

  void Validate() {
    ConfigFindings findings = ValidateConfig(parsed_.file, parsed_.places);
    for (ConfigFinding& fault : findings.faults) {
      // A value that was refused is not there to clash with others.
      const bool blameless = std::none_of(fault.keys.begin(), fault.keys.end(),
                                          [&](const auto& key) { return refused_.contains(key); });
      if (blameless) parsed_.problems.push_back(Located(std::move(fault)));
    }
    if (!parsed_.problems.empty()) return;
    for (ConfigFinding& warning : findings.warnings) {
      parsed_.warnings.push_back(Located(std::move(warning)));
    }
  }

  // At the first of its keys that stands in the text.
  ConfigProblem Located(ConfigFinding finding) const {
    for (const std::string& key : finding.keys) {
      const auto found = parsed_.places.find(key);
      if (found != parsed_.places.end()) return MakeProblem(found->second, key, finding.message);
    }
    return MakeProblem({}, finding.keys.front(), finding.message);
  }

  ConfigProblem MakeProblem(Place place, std::string_view key, std::string message) const {
    return {file_name_, place.line, place.column, Shown(key), std::move(message)};
  }
  void Problem(Place place, const std::string& key, std::string message) {
    refused_.insert(key);
    ++problems_seen_;
    if (!Full()) parsed_.problems.push_back(MakeProblem(place, key, std::move(message)));
  }
  // One problem more than is shown tells that there were more.
  bool Full() const { return parsed_.problems.size() > kProblemsMax; }

  static bool ComesBefore(const ConfigProblem& a, const ConfigProblem& b) {
    return Place{a.line, a.column} < Place{b.line, b.column};
  }

  void LimitProblems() {
    if (parsed_.problems.size() <= kProblemsMax) return;
    parsed_.problems.resize(kProblemsMax);
    parsed_.problems.push_back(
        MakeProblem({}, "", Cat("has further problems; these are ", kProblemsMax, " of them")));
  }

  const std::string file_name_;
  ParsedConfig& parsed_;
  size_t problems_seen_ = 0;
  std::set<std::string> refused_;  // Keys that have a problem of their own.
};

}  // namespace

std::string ConfigProblem::ToString() const {
  std::string text = file;
  if (line != 0) text += Cat(":", line, ":", column);
  if (!text.empty()) text += ": ";
  if (!key.empty()) text += Cat(key, ": ");
  return text + message;
}

ParsedConfig ParseConfig(std::string_view text, std::string_view file_name) {
  ParsedConfig parsed;
  if (text.size() > kConfigBytesMax) {
    parsed.problems.push_back(
        {std::string(file_name), 0, 0, "",
         Cat("has ", text.size(), " bytes; expected at most ", kConfigBytesMax)});
    return parsed;
  }
  Reader(file_name, parsed).Read(ReadYaml(text));
  return parsed;
}

}  // namespace gocomet::controlplane
