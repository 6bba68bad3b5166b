#include "common/http/parse_head.h"

#include <algorithm>

#include "common/http/scan.h"

namespace gocomet::http {
namespace {

constexpr size_t kEmptyLinesMax = 4;
constexpr size_t kVersionBytes = 8;

// What is left to read. Each step moves `at` past what it took. One that fails says why: with a
// fault, or with none where the bytes ran out. Everything is judged from left to right, so that
// more bytes never change a fault that was found.
struct Reader {
  const char* at;
  const char* end;
  Fault fault{0, ""};

  size_t left() const { return static_cast<size_t>(end - at); }
  bool Refuse(int status, const char* reason) {
    fault = {status, reason};
    return false;
  }
};

HeadResult Bad(const Fault& fault) { return {Parse::kBad, 0, fault}; }

bool TakeCrlf(Reader& reader) {
  const char* at = reader.at;
  if (reader.left() >= 2) {
    if (at[0] != '\r' || at[1] != '\n') return reader.Refuse(400, "line_not_ended_by_crlf");
    reader.at += 2;
    return true;
  }
  if (reader.left() == 1 && *at != '\r') return reader.Refuse(400, "line_not_ended_by_crlf");
  return false;
}

bool EndsLine(char c) { return c == '\r' || c == '\n'; }

// `HTTP/1.0` or `HTTP/1.1`.
bool TakeVersion(Reader& reader, int& minor_version) {
  constexpr std::string_view kForm = "HTTP/#.#";
  const size_t left = std::min(reader.left(), kVersionBytes);
  for (size_t i = 0; i < left; ++i) {
    const char c = reader.at[i];
    if (kForm[i] == '#' ? !IsDigit(c) : c != kForm[i]) return reader.Refuse(400, "version");
  }
  if (left < kVersionBytes) return false;
  if (reader.at[5] != '1' || reader.at[7] > '1') {
    return reader.Refuse(505, "version_not_supported");
  }
  minor_version = reader.at[7] - '0';
  reader.at += kVersionBytes;
  return true;
}

// A recipient should ignore at least one before a request line (RFC 9112, 2.2).
bool TakeEmptyLines(Reader& reader) {
  for (size_t lines = 0; reader.left() > 0 && *reader.at == '\r'; ++lines) {
    if (lines == kEmptyLinesMax) return reader.Refuse(400, "empty_lines");
    if (!TakeCrlf(reader)) return false;
  }
  return reader.left() > 0;
}

bool TakeRequestLine(Reader& reader, const HeadLimits& limits, RequestHead& head) {
  const char* method = reader.at;
  const char* end = vector::PastToken(method, reader.end);
  if (end == reader.end) return false;
  if (end == method || *end != ' ') {
    return reader.Refuse(400, EndsLine(*end) ? "request_line" : "method_not_a_token");
  }
  head.method = {method, static_cast<size_t>(end - method)};

  const char* target = end + 1;
  end = vector::PastTarget(target, reader.end);
  head.target = {target, static_cast<size_t>(end - target)};
  if (head.target.size() > limits.target_bytes_max) return reader.Refuse(414, "target_too_long");
  if (end == reader.end) return false;
  if (end == target || *end != ' ') {
    return reader.Refuse(400, EndsLine(*end) ? "request_line" : "target");
  }
  reader.at = end + 1;
  return TakeVersion(reader, head.minor_version) && TakeCrlf(reader);
}

// `HTTP/1.1 200 OK`, or without a reason, with or without the space before it.
bool TakeStatusLine(Reader& reader, ResponseHead& head) {
  if (!TakeVersion(reader, head.minor_version)) return false;
  const size_t left = std::min<size_t>(reader.left(), 4);
  for (size_t i = 0; i < left; ++i) {
    const char c = reader.at[i];
    if (i == 0 ? c != ' ' : !IsDigit(c) || (i == 1 && c == '0')) {
      return reader.Refuse(400, "status_line");
    }
  }
  if (reader.left() < 5) return false;
  const char* digits = reader.at + 1;
  head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  reader.at += 4;
  head.reason = {};
  if (*reader.at == ' ') {
    const char* reason = reader.at + 1;
    const char* end = vector::PastValue(reason, reader.end);
    if (end == reader.end) return false;
    if (!EndsLine(*end)) return reader.Refuse(400, "control_character_in_reason");
    head.reason = {reason, static_cast<size_t>(end - reason)};
    reader.at = end;
  } else if (!EndsLine(*reader.at)) {
    return reader.Refuse(400, "status_line");
  }
  return TakeCrlf(reader);
}

const char* WhyNoName(const char* name, const char* stop) {
  if (name == stop && (*stop == ' ' || *stop == '\t')) return "folded_line";
  if (name == stop && *stop == '\n') return "line_not_ended_by_crlf";
  return EndsLine(*stop) ? "field_without_colon" : "field_name_not_a_token";
}

bool IsWhiteSpace(char c) { return c == ' ' || c == '\t'; }

// The field lines, and the empty line that ends them.
bool TakeFields(Reader& reader, Fields& fields) {
  fields.Clear();
  const char* const end = reader.end;
  while (reader.at != end && *reader.at != '\r') {
    const char* name = reader.at;
    const char* colon = vector::PastToken(name, end);
    if (colon == end) return false;
    if (colon == name || *colon != ':') return reader.Refuse(400, WhyNoName(name, colon));

    const char* value = colon + 1;
    while (value != end && IsWhiteSpace(*value)) ++value;
    const char* stop = vector::PastValue(value, end);
    if (stop == end) return false;
    if (!EndsLine(*stop)) return reader.Refuse(400, "control_character_in_field");
    reader.at = stop;
    if (!TakeCrlf(reader)) return false;
    while (stop != value && IsWhiteSpace(stop[-1])) --stop;
    if (!fields.Add({name, static_cast<size_t>(colon - name)},
                    {value, static_cast<size_t>(stop - value)})) {
      return reader.Refuse(431, "too_many_fields");
    }
  }
  return TakeCrlf(reader);
}

// Whether what came since `seen` can have completed a head, or shows a line that will never end
// well. A head that comes in pieces is read whole only then, so all its calls together look at each
// byte a bounded number of times.
bool MayBeDecided(std::string_view bytes, size_t seen) {
  if (seen == 0) return true;
  for (size_t at = bytes.find('\n', seen); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    const bool bare = bytes[at - 1] != '\r';
    if (bare || at < 3 || bytes[at - 2] == '\n') return true;
  }
  return false;
}

// `read` takes a head from a reader of at most the bytes that one may have.
template <typename Read>
HeadResult ReadHead(std::string_view bytes, size_t seen, size_t bytes_max, int too_large,
                    Read read) {
  const bool full = bytes.size() >= bytes_max;
  if (!full && !MayBeDecided(bytes, seen)) return {};
  Reader reader{bytes.data(), bytes.data() + std::min(bytes.size(), bytes_max)};
  if (read(reader)) {
    return {Parse::kDone, static_cast<size_t>(reader.at - bytes.data()), {}};
  }
  if (reader.fault.status != 0) return Bad(reader.fault);
  return full ? Bad({too_large, "head_too_large"}) : HeadResult{};
}

}  // namespace

HeadResult ParseRequestHead(std::string_view bytes, size_t seen, const HeadLimits& limits,
                            RequestHead& head) {
  return ReadHead(bytes, seen, limits.head_bytes_max, 431, [&](Reader& reader) {
    return TakeEmptyLines(reader) && TakeRequestLine(reader, limits, head) &&
           TakeFields(reader, head.fields);
  });
}

HeadResult ParseResponseHead(std::string_view bytes, size_t seen, const HeadLimits& limits,
                             ResponseHead& head) {
  HeadResult result = ReadHead(bytes, seen, limits.head_bytes_max, 502, [&](Reader& reader) {
    return TakeStatusLine(reader, head) && TakeFields(reader, head.fields);
  });
  if (result.state == Parse::kBad) result.fault.status = 502;
  return result;
}

}  // namespace gocomet::http
