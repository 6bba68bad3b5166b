#include "common/http/message.h"

#include "common/http/characters.h"

namespace gocomet::http {

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

const Field* Fields::Find(std::string_view name) const {
  for (const Field& field : *this) {
    if (EqualsIgnoringCase(field.name, name)) return &field;
  }
  return nullptr;
}

size_t Fields::Count(std::string_view name) const {
  size_t count = 0;
  for (const Field& field : *this) count += EqualsIgnoringCase(field.name, name) ? 1 : 0;
  return count;
}

bool Fields::ListHas(std::string_view name, std::string_view token) const {
  for (const Field& field : *this) {
    if (!EqualsIgnoringCase(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      if (EqualsIgnoringCase(TrimWhiteSpace(rest.substr(0, comma)), token)) return true;
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace gocomet::http
