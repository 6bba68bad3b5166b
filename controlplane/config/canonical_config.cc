#include "controlplane/config/canonical_config.h"

#include <utility>

#include "common/base/text.h"
#include "controlplane/config/config_keys.h"

namespace gocomet::controlplane {
namespace {

using Part = ConfigKey::Part;

class Fields {
 public:
  void AddGroup(const ConfigKey& group, const void* owner, const void* blank,
                const std::string& path) {
    for (const ConfigKey& key : group.group->keys) {
      if (key.part == Part::kProcess || (is_flat_ && !key.flat.empty())) continue;
      if (key.part == Part::kService && !has_flat_service_) continue;
      Add(key, owner, blank, path.empty() ? key.name : Cat(path, ".", key.name));
    }
  }

  void set_has_flat_service(bool has) { has_flat_service_ = has; }
  std::vector<CanonicalField> Take() && { return std::move(fields_); }

 private:
  void Add(const ConfigKey& key, const void* owner, const void* blank, const std::string& path) {
    if (key.group && !key.scalar) return AddGroup(key, Enter(key, owner), Enter(key, blank), path);
    if (key.entries && (key.entries->named || key.entries->names_differences)) {
      return AddEntries(*key.entries, owner, path);
    }
    const std::string text = FlowText(key, owner);
    if (text.empty()) return;
    const bool is_default = !key.is_main && text == FlowText(key, blank);
    fields_.push_back({path, text, is_default, key.is_hidden});
  }

  void AddEntries(const ConfigKey::Entries& entries, const void* owner, const std::string& path) {
    std::string order;
    entries.each(owner, [&](const std::string& name, const void* entry) {
      const auto blank = entries.blank(name);
      is_flat_ = path == "services" && name == kFlatService;
      Add(*entries.entry, entry, blank.get(), Cat(path, ".", name));
      // That a value is there at all says something.
      if (entries.entry->scalar) fields_.back().is_default = false;
      is_flat_ = false;
      order += Cat(order.empty() ? "" : ", ", name);
    });
    if (!entries.named && !order.empty()) fields_.push_back({path, Cat("[", order, "]")});
  }

  bool has_flat_service_ = false;
  bool is_flat_ = false;  // Within the service that the flat keys are about.
  std::vector<CanonicalField> fields_;
};

}  // namespace

std::vector<CanonicalField> CanonicalFields(const Config& config) {
  const ConfigFile file{config, {}};
  static const ConfigFile defaults;
  Fields fields;
  fields.set_has_flat_service(FindService(config, kFlatService) != nullptr);
  fields.AddGroup(ConfigRoot(), &file, &defaults, "");
  return std::move(fields).Take();
}

}  // namespace gocomet::controlplane
