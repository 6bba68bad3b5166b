#pragma once

#include <string>
#include <string_view>

#include "common/http/body_scanner.h"
#include "common/http/parse_head.h"
#include "common/http/request_rules.h"

// What becomes of a message, in words, for tables: `400 host`; or of one that is accepted, where it
// ends: `none`, `length 5`, `chunked`, `until close`; or `bad body`.
namespace gocomet::http {

inline std::string InWords(const Fault& fault) {
  return std::to_string(fault.status) + " " + fault.reason;
}

inline std::string InWords(const Framing& framing, std::string_view body) {
  BodyScanner scanner(framing);
  scanner.Scan(body);
  if (scanner.bad()) return "bad body";
  switch (framing.kind) {
    case BodyKind::kNone:
      return "none";
    case BodyKind::kLength:
      return "length " + std::to_string(framing.length);
    case BodyKind::kChunked:
      return "chunked";
    case BodyKind::kUntilClose:
      return "until close";
  }
  return "";
}

inline std::string VerdictOnRequest(std::string_view bytes) {
  RequestHead head;
  const HeadResult result = ParseRequestHead(bytes, 0, HeadLimits{}, head);
  if (result.state == Parse::kMore) return "more";
  if (result.state == Parse::kBad) return InWords(result.fault);
  const RequestMeaning meaning = UnderstandRequest(head);
  if (!meaning.ok) return InWords(meaning.fault);
  return InWords(meaning.framing, bytes.substr(result.consumed));
}

inline std::string VerdictOnResponse(std::string_view bytes, std::string_view method = "GET") {
  ResponseHead head;
  const HeadResult result = ParseResponseHead(bytes, 0, HeadLimits{}, head);
  if (result.state == Parse::kMore) return "more";
  if (result.state == Parse::kBad) return InWords(result.fault);
  const Framing framing = ResponseFraming(head, method);
  if (!framing.ok) return InWords(framing.fault);
  return InWords(framing, bytes.substr(result.consumed));
}

}  // namespace gocomet::http
