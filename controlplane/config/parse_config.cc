#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/config_text.h"
#include "controlplane/config/nearest_key.h"
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

class Reader {
 public:
  Reader(std::string_view file_name, ParsedConfig& parsed)
      : file_name_(file_name), parsed_(parsed) {}

  void Read(const YamlDocument& document) {
    for (const YamlFault& fault : document.faults) Problem(fault.place, "", fault.message);
    const YamlNode& root = document.root;
    if (root.kind == Kind::kMapping) {
      ReadMapping(root, "");
    } else if (root.kind != Kind::kEmpty && root.kind != Kind::kRefused) {
      Problem(root.place, "", Cat("expected keys and values such as `worker: 3`, got ", Got(root)));
    }
    if (document.complete) Validate();
    std::stable_sort(parsed_.problems.begin(), parsed_.problems.end(), ComesBefore);
    LimitProblems();
  }

 private:
  void ReadMapping(const YamlNode& mapping, const std::string& group) {
    for (size_t i = 0; i + 1 < mapping.children.size() && !Full(); i += 2) {
      const YamlNode& key = mapping.children[i];
      const YamlNode& value = mapping.children[i + 1];
      if (key.kind == Kind::kRefused) continue;
      if (key.kind == Kind::kSequence || key.kind == Kind::kMapping) {
        Problem(key.place, group, Cat("expected a key, got ", Got(key)));
        continue;
      }
      const std::string path = group.empty() ? key.text : Cat(group, ".", key.text);
      const auto [first, is_new] = parsed_.places.try_emplace(path, key.place);
      if (!is_new) {
        Problem(key.place, path,
                Cat("is set twice, first on line ", first->second.line, "; remove one of them"));
      } else {
        ReadEntry(path, key, value);
      }
    }
  }

  void ReadEntry(const std::string& path, const YamlNode& key, const YamlNode& value) {
    if (path == kControlPlaneGroup) return ReadGroup(path, value);
    // A dot in a key is no way into a group.
    const ConfigKey* known =
        key.text.find('.') == std::string::npos ? FindConfigKey(path) : nullptr;
    if (known == nullptr) return Problem(key.place, path, UnknownKey(path, key.text));
    if (value.kind == Kind::kRefused) return;
    if (value.kind == Kind::kEmpty) {
      return Problem(key.place, path, Cat("has no value; expected ", known->expected));
    }
    parsed_.places[path] = value.place;
    const bool is_scalar = value.kind != Kind::kSequence && value.kind != Kind::kMapping;
    if (is_scalar && known->read(value, parsed_.file)) return;
    std::string message = Cat("expected ", known->expected, ", got ", Got(value));
    if (value.kind == Kind::kQuoted && MeantWithoutQuotes(*known, value)) {
      message += "; write it without quotes";
    }
    Problem(value.place, path, std::move(message));
  }

  void ReadGroup(const std::string& path, const YamlNode& value) {
    if (value.kind == Kind::kMapping) return ReadMapping(value, path);
    Problem(value.place, path,
            value.kind == Kind::kEmpty
                ? "has no value; expected grpc, http or insecure below it"
                : Cat("expected grpc, http or insecure below it, got ", Got(value)));
  }

  static bool MeantWithoutQuotes(const ConfigKey& key, YamlNode value) {
    value.kind = Kind::kPlain;
    ConfigFile scratch;
    return key.read(value, scratch);
  }

  // Names the key that was meant, or those that there are at its place.
  static std::string UnknownKey(const std::string& path, const std::string& written) {
    const std::string group = path == written ? "" : path.substr(0, path.size() - written.size());
    std::vector<std::string_view> here;
    for (const ConfigKey& key : ConfigKeys()) {
      const std::string_view known = key.path;
      const size_t name = known.rfind('.') + 1;  // 0 where there is no dot.
      if (known.substr(0, name) == group) here.push_back(known.substr(name));
      const bool elsewhere = known == written || known.substr(name) == written;
      if (elsewhere && name != 0) {
        return Cat("unknown key; did you mean `", known.substr(name), "` below `",
                   kControlPlaneGroup, ":`?");
      }
      if (elsewhere) return Cat("unknown key; did you mean `", known, "` at the top level?");
    }
    if (group.empty()) here.push_back(kControlPlaneGroup);
    if (const auto nearest = NearestOf(written, here)) {
      return Cat("unknown key; did you mean `", *nearest, "`?");
    }
    std::string all;
    for (const std::string_view key : here) all += Cat(all.empty() ? "" : ", ", key);
    return Cat("unknown key; expected one of ", all);
  }

  void Validate() {
    ConfigFindings findings = ValidateConfig(parsed_.file);
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
