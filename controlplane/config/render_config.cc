#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

class Renderer {
 public:
  explicit Renderer(ConfigForm form) : is_long_(form == ConfigForm::kLong) {}

  std::string Group(const ConfigKey& group, const void* owner, const void* blank, size_t depth) {
    std::string text;
    for (const ConfigKey& key : group.group->keys) text += Key(key, owner, blank, depth);
    return text;
  }

 private:
  // With its value, on lines of its own; empty where it need not or cannot be said.
  std::string Key(const ConfigKey& key, const void* owner, const void* blank, size_t depth) {
    if (key.applies && !key.applies(owner)) return "";
    // Each form says what there is to say of the service `worker` in one place.
    if (is_long_ && key.part == ConfigKey::Part::kService) return "";
    if (is_flat_ && !key.flat.empty()) return "";
    std::string text = Value(key, owner, blank, depth);
    if (text.empty() || is_long_ || key.is_main) return text;
    return text == Value(key, blank, blank, depth) ? "" : text;
  }

  std::string Value(const ConfigKey& key, const void* owner, const void* blank, size_t depth) {
    const std::string line = Cat(std::string(depth * 2, ' '), key.name, ":");
    if (key.group && !key.scalar) {
      const std::string below = Group(key, Enter(key, owner), Enter(key, blank), depth + 1);
      if (!below.empty()) return Cat(line, "\n", below);
      return key.is_main && !is_flat_ ? line + " {}\n" : "";
    }
    if (key.entries && !key.IsListOfScalars()) {
      const std::string below = Entries(*key.entries, owner, depth + 1);
      return below.empty() ? "" : Cat(line, "\n", below);
    }
    const std::string text = FlowText(key, owner);
    return text.empty() ? "" : Cat(line, " ", text, "\n");
  }

  std::string Entries(const ConfigKey::Entries& entries, const void* owner, size_t depth) {
    std::string text;
    entries.each(owner, [&](const std::string& name, const void* entry) {
      is_flat_ = !is_long_ && depth == 1 && entries.named && name == kFlatService;
      text += entries.named ? NamedEntry(entries, name, entry, depth)
                            : ListEntry(*entries.entry, entries, entry, depth);
      is_flat_ = false;
    });
    return text;
  }

  std::string NamedEntry(const ConfigKey::Entries& entries, const std::string& name,
                         const void* entry, size_t depth) {
    const std::string line = Cat(std::string(depth * 2, ' '), name, ":");
    const ConfigKey& what = *entries.entry;
    if (what.scalar) return Cat(line, " ", FlowText(what, entry), "\n");
    const auto blank = entries.blank(name);
    const bool flat = is_flat_;
    const std::string below = Group(what, entry, blank.get(), depth + 1);
    if (!below.empty()) return Cat(line, "\n", below);
    return flat ? "" : line + " {}\n";
  }

  std::string ListEntry(const ConfigKey& what, const ConfigKey::Entries& entries, const void* entry,
                        size_t depth) {
    const std::string indent(depth * 2, ' ');
    if (what.scalar) return Cat(indent, "- ", FlowText(what, entry), "\n");
    const auto blank = entries.blank("");
    std::string below = Group(what, entry, blank.get(), depth + 1);
    below.replace(depth * 2, 2, "- ");
    return below;
  }

  const bool is_long_;
  bool is_flat_ = false;  // Within the service that the flat keys are about.
};

}  // namespace

std::string RenderConfig(const ConfigFile& file, ConfigForm form) {
  static const ConfigFile defaults;
  return Renderer(form).Group(ConfigRoot(), &file, &defaults, 0);
}

}  // namespace gocomet::controlplane
