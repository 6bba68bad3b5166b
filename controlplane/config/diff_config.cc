#include <algorithm>

#include "controlplane/config/canonical_config.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

const CanonicalField* Find(const std::vector<CanonicalField>& fields, const std::string& name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const CanonicalField& field) { return field.name == name; });
  return found != fields.end() ? &*found : nullptr;
}

}  // namespace

std::vector<FieldChange> DiffConfigs(const Config& from, const Config& to) {
  const std::vector<CanonicalField> old_fields = CanonicalFields(from);
  const std::vector<CanonicalField> new_fields = CanonicalFields(to);
  std::vector<FieldChange> changes;
  for (const CanonicalField& field : new_fields) {
    const CanonicalField* old_field = Find(old_fields, field.name);
    const std::string old_value = old_field != nullptr ? old_field->value : "";
    if (old_field == nullptr || old_value != field.value) {
      changes.push_back({field.name, old_value, field.value});
    }
  }
  for (const CanonicalField& field : old_fields) {
    if (Find(new_fields, field.name) == nullptr) changes.push_back({field.name, field.value, ""});
  }
  return changes;
}

}  // namespace gocomet::controlplane
