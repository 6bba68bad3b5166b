#pragma once

#include <string_view>

#include "common/http/message.h"

namespace gocomet::http {

// What the Connection lines of a message say, read once (RFC 9110, 7.6.1). Pure.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool te = false;
  bool names_fields = false;  // Some other option, which may be the name of a field.
};
ConnectionOptions ReadConnectionOptions(const Fields& fields);

// Whether the connection may be used again after this message, as far as its sender says (RFC
// 9112, 9.3).
constexpr bool Persists(const ConnectionOptions& options, int minor_version) {
  return !options.close && (minor_version == 1 || options.keep_alive);
}

}  // namespace gocomet::http
