#include "common/http/connection_options.h"

namespace gocomet::http {

ConnectionOptions ReadConnectionOptions(const Fields& fields) {
  ConnectionOptions options;
  size_t lines = fields.Count(FieldId::kConnection);
  for (const Field* field = fields.Find(FieldId::kConnection); lines > 0; ++field) {
    if (field->id != FieldId::kConnection) continue;
    --lines;
    ForEachInList(field->value, [&](std::string_view option) {
      if (EqualsIgnoringCase(option, "keep-alive")) {
        options.keep_alive = true;
      } else if (EqualsIgnoringCase(option, "close")) {
        options.close = true;
      } else if (EqualsIgnoringCase(option, "upgrade")) {
        options.upgrade = true;
      } else if (EqualsIgnoringCase(option, "te")) {
        options.te = true;
      } else if (!IsHopByHop(Identify(option))) {
        options.names_fields = true;
      }
    });
  }
  return options;
}

}  // namespace gocomet::http
