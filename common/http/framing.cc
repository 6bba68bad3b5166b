#include "common/http/framing.h"

#include "common/http/characters.h"

namespace gocomet::http {
namespace {

constexpr uint64_t kLengthMax = uint64_t{1} << 62;

Framing Refuse(int status, const char* reason) {
  return {BodyKind::kNone, 0, false, {status, reason}};
}

// 1*DIGIT and nothing else: no sign, no list, no space within (RFC 9110, 8.6).
bool ParseLength(std::string_view text, uint64_t& length) {
  if (text.empty() || text.size() > 19) return false;
  length = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return false;
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  return length <= kLengthMax;
}

// What Transfer-Encoding and Content-Length say together.
Framing ExplicitFraming(const Fields& fields, int minor_version, int bad_status) {
  const size_t codings = fields.Count(FieldId::kTransferEncoding);
  const size_t lengths = fields.Count(FieldId::kContentLength);
  if (codings != 0 && lengths != 0) return Refuse(bad_status, "length_and_transfer_coding");
  if (codings > 1) return Refuse(bad_status, "several_transfer_codings");
  if (codings == 1) {
    if (minor_version == 0) return Refuse(bad_status, "transfer_coding_in_http_1_0");
    if (!EqualsIgnoringCase(fields.Find(FieldId::kTransferEncoding)->value, "chunked")) {
      return Refuse(bad_status == 400 ? 501 : bad_status, "unknown_transfer_coding");
    }
    return {BodyKind::kChunked, 0, true, {}};
  }
  // Equal values may be taken for one (RFC 9110, 8.6), but need not: no honest peer sends them, and
  // one that counts the lines in another way would see another end.
  if (lengths > 1) return Refuse(bad_status, "several_content_lengths");
  Framing framing;
  if (lengths == 1) {
    framing.kind = BodyKind::kLength;
    if (!ParseLength(fields.Find(FieldId::kContentLength)->value, framing.length)) {
      return Refuse(bad_status, "content_length");
    }
  }
  return framing;
}

}  // namespace

Framing RequestFraming(const RequestHead& head) {
  Framing framing = ExplicitFraming(head.fields, head.minor_version, 400);
  if (framing.kind == BodyKind::kLength && framing.length == 0) framing.kind = BodyKind::kNone;
  return framing;
}

Framing ResponseFraming(const ResponseHead& head, std::string_view request_method) {
  Framing framing = ExplicitFraming(head.fields, head.minor_version, 502);
  if (!framing.ok) return framing;
  const bool never_has_body = request_method == "HEAD" || head.status == 204 ||
                              head.status == 304 || head.status / 100 == 1;
  if (never_has_body) {
    framing = {};
  } else if (framing.kind == BodyKind::kNone) {
    framing.kind = BodyKind::kUntilClose;
  } else if (framing.kind == BodyKind::kLength && framing.length == 0) {
    framing.kind = BodyKind::kNone;
  }
  return framing;
}

}  // namespace gocomet::http
