#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/yaml_tree.h"

// What a key of config.yaml may hold, as values that know no particular key. Parsing, rendering,
// the canonical form, differences and the JSON Schema all walk the same tree of them.
namespace gocomet::controlplane {

// How JSON Schema describes a scalar.
struct ScalarShape {
  enum class Kind : uint8_t { kText, kWholeNumber, kNumber, kBoolean, kAnything };
  Kind kind = Kind::kText;
  uint64_t min = 0;  // Of whole numbers.
  uint64_t max = 0;
  std::string pattern;               // Of texts; empty: any.
  std::vector<std::string> choices;  // Of texts; empty: any.
  bool or_zero = false;              // The number 0 is fine, too.
};

// A key has at least one form: a scalar, a group of further keys, or entries (a list or a mapping
// from names that people choose). Its owner is the value that it is about: what `void*` points at
// is the business of the functions that made the key (config_key_types.h).
struct ConfigKey {
  enum class Part : uint8_t {
    kService,  // Of the service `worker`, which the flat keys define.
    kConfig,   // Of the revision as a whole.
    kProcess,  // Read once at start.
  };

  std::string name;      // Within its scope: `interval`.
  std::string expected;  // `a whole number from 0 to 1000`
  std::string meaning;   // For people, in sentences: reference and schema.
  Part part = Part::kConfig;
  bool is_main = false;      // Always written out.
  bool is_required = false;  // Refused where it is missing.
  bool is_hidden = false;    // May be a secret: only the config's own text shows it.
  std::string flat;          // Of a service's key: the flat one that says the same of `worker`.
  std::vector<std::string> synonyms;  // What users of other programs write.

  // Whether it means anything beside what else its owner says; unset: always.
  std::function<bool(const void* owner)> applies;
  std::string applies_to;  // `a service with an image`

  struct Scalar {
    // Takes it in; false where it is not what was expected.
    std::function<bool(const YamlNode& scalar, void* owner)> read;
    // In YAML, quoted where it must be; empty where the owner has none.
    std::function<std::string(const void* owner)> write;
    ScalarShape shape;
  };
  std::optional<Scalar> scalar;

  struct Group {
    std::vector<ConfigKey> keys;
    std::function<void*(void* owner)> enter;  // The owner of these keys.
  };
  std::optional<Group> group;

  struct Entries {
    bool named = false;              // A mapping from names; otherwise a list.
    bool names_differences = false;  // A list whose entries have names of their own.
    size_t max = 0;
    std::string called;  // `a service`
    // Of names.
    std::string name_expected;
    std::string name_pattern;
    std::function<bool(const std::string& name)> accepts_name;
    std::function<void(const void* owner, const std::function<void(const std::string& name,
                                                                   const void* entry)>& visit)>
        each;
    // A new entry, or the one of that name; valid until the next one is added.
    std::function<void*(void* owner, const std::string& name)> add;
    // Puts them into the order that the value has them in; unset: as written.
    std::function<void(void* owner)> settle;
    // An entry of that name that nothing was said of.
    std::function<std::shared_ptr<void>(const std::string& name)> blank;
    std::shared_ptr<const ConfigKey> entry;  // What each one is; its name is empty.
  };
  std::optional<Entries> entries;

  bool IsListOfScalars() const {
    return entries && !entries->named && entries->entry->scalar && !entries->entry->group;
  }
};

// The way into a scope and out of it, without `const` for those that only look.
inline const void* Enter(const ConfigKey& key, const void* owner) {
  return key.group->enter(const_cast<void*>(owner));
}

// What the key holds on one line: a scalar, or a list as `[a, b]`; empty where there is nothing.
std::string FlowText(const ConfigKey& key, const void* owner);

}  // namespace gocomet::controlplane
