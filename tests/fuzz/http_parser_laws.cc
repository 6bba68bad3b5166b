#include <http_parser.h>

#include <algorithm>
#include <vector>

#include "common/http/body_scanner.h"
#include "common/http/parse_head.h"
#include "common/http/request_rules.h"
#include "tests/fuzz/laws.h"

namespace gocomet::fuzz {
namespace {

// What libhttp-parser sees of one request.
struct Seen {
  http_parser parser{};
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  bool in_value = true;
  bool head_done = false;
  bool done = false;
  size_t size = 0;
};

Seen& Of(http_parser* parser) { return *static_cast<Seen*>(parser->data); }

int OnUrl(http_parser* parser, const char* at, size_t size) {
  Of(parser).target.append(at, size);
  return 0;
}
int OnField(http_parser* parser, const char* at, size_t size) {
  Seen& seen = Of(parser);
  if (seen.head_done) return 0;  // A trailer.
  if (seen.in_value) seen.fields.emplace_back();
  seen.in_value = false;
  seen.fields.back().first.append(at, size);
  return 0;
}
int OnValue(http_parser* parser, const char* at, size_t size) {
  Seen& seen = Of(parser);
  if (seen.head_done) return 0;
  seen.in_value = true;
  seen.fields.back().second.append(at, size);
  return 0;
}
int OnHeadersComplete(http_parser* parser) {
  Of(parser).head_done = true;
  return 0;
}
int OnMessageComplete(http_parser* parser) {
  Of(parser).done = true;
  http_parser_pause(parser, 1);
  return 0;
}

Seen Read(std::string_view input) {
  Seen seen;
  http_parser_init(&seen.parser, HTTP_REQUEST);
  seen.parser.data = &seen;
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_url = OnUrl;
  settings.on_header_field = OnField;
  settings.on_header_value = OnValue;
  settings.on_headers_complete = OnHeadersComplete;
  settings.on_message_complete = OnMessageComplete;
  seen.size = http_parser_execute(&seen.parser, &settings, input.data(), input.size());
  return seen;
}

bool SameFields(const http::Fields& fields, const Seen& seen) {
  return std::equal(fields.begin(), fields.end(), seen.fields.begin(), seen.fields.end(),
                    [](const http::Field& a, const auto& b) {
                      return a.name == b.first && a.value == http::TrimWhiteSpace(b.second);
                    });
}

// It takes a longer name that begins so for Transfer-Encoding itself.
bool HasNameLikeTransferEncoding(const http::RequestHead& head) {
  constexpr std::string_view kName = "transfer-encoding";
  return std::any_of(head.fields.begin(), head.fields.end(), [&](const http::Field& field) {
    return field.name.size() > kName.size() &&
           http::EqualsIgnoringCase(field.name.substr(0, kName.size()), kName);
  });
}

// Behind what frames a message it takes spaces alone, though tabs are white space too (RFC 9110,
// 5.6.3). What is passed on has neither.
bool HasTabBehind(const http::RequestHead& head, http::FieldId id) {
  const http::Field* field = head.fields.Find(id);
  if (field == nullptr) return false;
  // The line goes on behind the value, to its CRLF at least.
  const char* after = field->value.data() + field->value.size();
  while (*after == ' ') ++after;
  return *after == '\t';
}

// It then knows nothing of the coding that frames the body, or forgets it.
bool MissesTheCoding(const http::RequestHead& head) {
  return HasNameLikeTransferEncoding(head) || HasTabBehind(head, http::FieldId::kTransferEncoding);
}

// What it does not take though we do, and why that is right.
bool IsKnownRefusal(http_errno error, const http::RequestHead& head) {
  switch (error) {
    case HPE_INVALID_METHOD:  // It knows a list of methods; any token is one (RFC 9110, 9.1).
    case HPE_INVALID_URL:     // It reads URIs more narrowly than what clients send.
      return true;
    case HPE_INVALID_TRANSFER_ENCODING:
      return MissesTheCoding(head);
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return HasNameLikeTransferEncoding(head);
    case HPE_INVALID_CONTENT_LENGTH:
      return HasTabBehind(head, http::FieldId::kContentLength);
    default:
      return false;
  }
}

}  // namespace

std::string BrokenAgainstHttpParser(std::string_view input) {
  http::RequestHead head;
  const http::HeadResult result = http::ParseRequestHead(input, 0, http::HeadLimits{}, head);
  if (result.state != http::Parse::kDone) return "";
  const http::RequestMeaning meaning = http::UnderstandRequest(head);
  if (!meaning.ok) return "";
  http::BodyScanner body(meaning.framing);
  const size_t end = result.consumed + body.Scan(input.substr(result.consumed));
  if (body.bad()) return "";

  const Seen seen = Read(input.substr(0, end));
  const http_errno error = HTTP_PARSER_ERRNO(&seen.parser);
  if (error != HPE_OK && error != HPE_PAUSED) {
    if (IsKnownRefusal(error, head)) return "";
    return std::string("libhttp-parser accepts it too: ") + http_errno_description(error);
  }
  if (!seen.head_done) return "libhttp-parser sees the end of the head too";
  if (head.method != http_method_str(static_cast<http_method>(seen.parser.method))) {
    return "libhttp-parser sees the same method";
  }
  if (head.target != seen.target) return "libhttp-parser sees the same target";
  if (head.minor_version != seen.parser.http_minor || seen.parser.http_major != 1) {
    return "libhttp-parser sees the same version";
  }
  if (!SameFields(head.fields, seen)) return "libhttp-parser sees the same fields";
  // With an upgrade that is no error to it: it sees the end at the head's.
  if (MissesTheCoding(head)) return "";
  if (body.done() != seen.done) return "libhttp-parser sees the same end, or none";
  if (seen.done && seen.size != end) return "libhttp-parser sees the end at the same byte";
  return "";
}

}  // namespace gocomet::fuzz
