#pragma once

#include <cstdint>
#include <string_view>

#include "common/http/message.h"
#include "common/http/parse_head.h"

namespace gocomet::http {

// How the end of a body is known (RFC 9112, 6).
enum class BodyKind : unsigned char { kNone, kLength, kChunked, kUntilClose };

struct Framing {
  BodyKind kind = BodyKind::kNone;
  uint64_t length = 0;  // Of a body of kLength.
  bool ok = true;
  Fault fault;  // Where it is not ok.
};

// The only places that decide where a body ends. Where the RFC allows two readings, neither is
// taken: the message is refused.
Framing RequestFraming(const RequestHead& head);
Framing ResponseFraming(const ResponseHead& head, std::string_view request_method);

}  // namespace gocomet::http
