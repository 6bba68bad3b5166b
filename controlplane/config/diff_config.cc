#include <map>
#include <string_view>

#include "controlplane/config/canonical_config.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

using FieldsByName = std::map<std::string_view, const CanonicalField*>;

FieldsByName ByName(const std::vector<CanonicalField>& fields) {
  FieldsByName by_name;
  for (const CanonicalField& field : fields) by_name.emplace(field.name, &field);
  return by_name;
}

std::string Shown(const CanonicalField* field) {
  if (field == nullptr) return "";
  return field->is_hidden ? "(hidden)" : field->value;
}

}  // namespace

std::vector<FieldChange> DiffConfigs(const Config& from, const Config& to) {
  const std::vector<CanonicalField> old_fields = CanonicalFields(from);
  const std::vector<CanonicalField> new_fields = CanonicalFields(to);
  const FieldsByName old_by_name = ByName(old_fields);
  const FieldsByName new_by_name = ByName(new_fields);
  std::vector<FieldChange> changes;
  for (const CanonicalField& field : new_fields) {
    const auto found = old_by_name.find(field.name);
    const CanonicalField* old_field = found == old_by_name.end() ? nullptr : found->second;
    // Of what is new as a whole, what it says for itself is enough.
    const bool changed = old_field != nullptr ? old_field->value != field.value : !field.is_default;
    if (changed) changes.push_back({field.name, Shown(old_field), Shown(&field)});
  }
  for (const CanonicalField& field : old_fields) {
    if (field.is_default || new_by_name.contains(field.name)) continue;
    changes.push_back({field.name, Shown(&field), ""});
  }
  return changes;
}

}  // namespace gocomet::controlplane
