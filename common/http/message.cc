#include "common/http/message.h"

namespace gocomet::http {

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

const Field* Fields::Find(std::string_view name) const {
  if (const FieldId id = Identify(name); id != FieldId::kOther) return Find(id);
  for (const Field& field : *this) {
    if (EqualsIgnoringCase(field.name, name)) return &field;
  }
  return nullptr;
}

size_t Fields::Count(std::string_view name) const {
  if (const FieldId id = Identify(name); id != FieldId::kOther) return Count(id);
  size_t count = 0;
  for (const Field& field : *this) count += EqualsIgnoringCase(field.name, name) ? 1 : 0;
  return count;
}

bool Fields::ListHas(FieldId known, std::string_view token) const {
  size_t lines = Count(known);
  bool has = false;
  for (const Field* field = Find(known); lines > 0; ++field) {
    if (field->id != known) continue;
    --lines;
    ForEachInList(field->value,
                  [&](std::string_view member) { has = has || EqualsIgnoringCase(member, token); });
  }
  return has;
}

}  // namespace gocomet::http
