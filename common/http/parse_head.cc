#include "common/http/parse_head.h"

#include <algorithm>

#include "common/http/characters.h"

namespace gocomet::http {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";

HeadResult Bad(int status, const char* reason) { return {Parse::kBad, 0, {status, reason}}; }

// Takes one line, without its CRLF, off the front of `rest`. False where it is not ended by CRLF or
// holds a bare CR.
bool TakeLine(std::string_view& rest, std::string_view& line) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return false;
  line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line.find('\r') == std::string_view::npos;
}

// The minor version of `HTTP/1.0` and `HTTP/1.1`; -1 for anything else of that form, -2 for what is
// not of that form.
int MinorVersion(std::string_view text) {
  if (text.size() != 8 || text.substr(0, 5) != "HTTP/" || !IsDigit(text[5]) || text[6] != '.' ||
      !IsDigit(text[7])) {
    return -2;
  }
  if (text[5] != '1' || text[7] > '1') return -1;
  return text[7] - '0';
}

// The field lines up to the empty line. The fault's status is the caller's.
const char* ParseFields(std::string_view rest, Fields& fields) {
  fields.Clear();
  while (true) {
    std::string_view line;
    if (!TakeLine(rest, line)) return "line_not_ended_by_crlf";
    if (line.empty()) return nullptr;
    if (line.front() == ' ' || line.front() == '\t') return "folded_line";
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "field_without_colon";
    const std::string_view name = line.substr(0, colon);
    if (!IsToken(name)) return "field_name_not_a_token";
    const std::string_view value = TrimWhiteSpace(line.substr(colon + 1));
    if (!IsFieldValue(value)) return "control_character_in_field";
    if (!fields.Add(name, value)) return "too_many_fields";
  }
}

// Where the head ends, looking only at what an earlier call cannot have seen.
size_t FindEnd(std::string_view bytes, size_t from, size_t seen) {
  const size_t overlap = kEndOfHead.size() - 1;
  const size_t start = std::max(from, seen > overlap ? seen - overlap : 0);
  return bytes.find(kEndOfHead, start);
}

// A head that is not whole yet may be known to be bad: a client that will never send CRLF must not
// wait for its timeout, and one that sends too much must not be read for ever.
HeadResult Incomplete(std::string_view bytes, size_t seen, const HeadLimits& limits,
                      int too_large) {
  if (bytes.size() >= limits.head_bytes_max) return Bad(too_large, "head_too_large");
  for (size_t at = bytes.find('\n', seen == 0 ? 0 : seen - 1); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return Bad(400, "line_not_ended_by_crlf");
  }
  return {};
}

}  // namespace

HeadResult ParseRequestHead(std::string_view bytes, size_t seen, const HeadLimits& limits,
                            RequestHead& head) {
  size_t skipped = 0;
  while (bytes.substr(skipped, 2) == "\r\n") skipped += 2;
  if (skipped > 8) return Bad(400, "empty_lines");
  const size_t end = FindEnd(bytes, skipped, seen);
  if (end == std::string_view::npos) return Incomplete(bytes, seen, limits, 431);
  const size_t consumed = end + kEndOfHead.size();
  if (consumed - skipped > limits.head_bytes_max) return Bad(431, "head_too_large");

  std::string_view rest = bytes.substr(skipped, consumed - skipped);
  std::string_view line;
  if (!TakeLine(rest, line)) return Bad(400, "line_not_ended_by_crlf");
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Bad(400, "request_line");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  if (!IsToken(head.method)) return Bad(400, "method_not_a_token");
  if (!IsTarget(head.target)) return Bad(400, "target");
  if (head.target.size() > limits.target_bytes_max) return Bad(414, "target_too_long");
  const int minor = MinorVersion(line.substr(last + 1));
  if (minor == -2) return Bad(400, "version");
  if (minor == -1) return Bad(505, "version_not_supported");
  head.minor_version = minor;
  if (const char* fault = ParseFields(rest, head.fields)) {
    return Bad(std::string_view(fault) == "too_many_fields" ? 431 : 400, fault);
  }
  return {Parse::kDone, consumed, {}};
}

HeadResult ParseResponseHead(std::string_view bytes, size_t seen, const HeadLimits& limits,
                             ResponseHead& head) {
  const size_t end = FindEnd(bytes, 0, seen);
  if (end == std::string_view::npos) {
    HeadResult result = Incomplete(bytes, seen, limits, 502);
    result.fault.status = 502;
    return result;
  }
  const size_t consumed = end + kEndOfHead.size();
  if (consumed > limits.head_bytes_max) return Bad(502, "head_too_large");
  std::string_view rest = bytes.substr(0, consumed);
  std::string_view line;
  if (!TakeLine(rest, line)) return Bad(502, "line_not_ended_by_crlf");
  // `HTTP/1.1 200 OK`, or without a reason, with or without the space before it.
  const int minor = MinorVersion(line.substr(0, 8));
  const bool digits = line.size() >= 12 && line[8] == ' ' && IsDigit(line[9]) &&
                      IsDigit(line[10]) && IsDigit(line[11]) &&
                      (line.size() == 12 || line[12] == ' ');
  if (minor < 0 || !digits || line[9] == '0') return Bad(502, "status_line");
  head.minor_version = minor;
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!IsFieldValue(head.reason)) return Bad(502, "control_character_in_reason");
  if (const char* fault = ParseFields(rest, head.fields)) return Bad(502, fault);
  return {Parse::kDone, consumed, {}};
}

}  // namespace gocomet::http
