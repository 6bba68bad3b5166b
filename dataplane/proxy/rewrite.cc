#include "dataplane/proxy/rewrite.h"

namespace gocomet::dataplane {
namespace {

using http::EqualsIgnoringCase;
using http::Field;

// What the balancer must know of a field; all others are passed on as they came.
enum class Kind : unsigned char {
  kOther,
  kHopByHop,  // About one connection, and never passed on (RFC 9110, 7.6.1).
  kFraming,   // Dropping it because a peer named it in Connection would change the message.
  kHost,
  kForwardedFor,
  kForwardedProto,
  kForwardedHost,
  kRequestId,
};

// By length first: most fields are told apart without looking at their letters.
Kind KindOf(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoringCase(name, "te") ? Kind::kHopByHop : Kind::kOther;
    case 4:
      return EqualsIgnoringCase(name, "host") ? Kind::kHost : Kind::kOther;
    case 7:
      return EqualsIgnoringCase(name, "upgrade") ? Kind::kHopByHop : Kind::kOther;
    case 10:
      return EqualsIgnoringCase(name, "connection") || EqualsIgnoringCase(name, "keep-alive")
                 ? Kind::kHopByHop
                 : Kind::kOther;
    case 12:
      return EqualsIgnoringCase(name, "x-request-id") ? Kind::kRequestId : Kind::kOther;
    case 14:
      return EqualsIgnoringCase(name, "content-length") ? Kind::kFraming : Kind::kOther;
    case 15:
      return EqualsIgnoringCase(name, "x-forwarded-for") ? Kind::kForwardedFor : Kind::kOther;
    case 16:
      if (EqualsIgnoringCase(name, "x-forwarded-host")) return Kind::kForwardedHost;
      return EqualsIgnoringCase(name, "proxy-connection") ? Kind::kHopByHop : Kind::kOther;
    case 17:
      if (EqualsIgnoringCase(name, "transfer-encoding")) return Kind::kFraming;
      return EqualsIgnoringCase(name, "x-forwarded-proto") ? Kind::kForwardedProto : Kind::kOther;
    case 18:
      return EqualsIgnoringCase(name, "proxy-authenticate") ? Kind::kHopByHop : Kind::kOther;
    case 19:
      return EqualsIgnoringCase(name, "proxy-authorization") ? Kind::kHopByHop : Kind::kOther;
    default:
      return Kind::kOther;
  }
}

// Tells which fields of one message are not passed on.
class Dropped {
 public:
  explicit Dropped(const http::Fields& fields)
      : fields_(fields), names_any_(fields.Find("connection") != nullptr) {}

  bool operator()(const Field& field, Kind kind) const {
    if (kind == Kind::kHopByHop) return true;
    if (!names_any_ || kind == Kind::kFraming || kind == Kind::kHost) return false;
    return fields_.ListHas("connection", field.name);
  }

 private:
  const http::Fields& fields_;
  const bool names_any_;
};

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

void AppendStatusLine(std::string& out, int status, std::string_view reason) {
  const char digits[] = {static_cast<char>('0' + status / 100),
                         static_cast<char>('0' + status / 10 % 10),
                         static_cast<char>('0' + status % 10), ' '};
  out.append("HTTP/1.1 ", 9).append(digits, 4).append(reason).append("\r\n", 2);
}

}  // namespace

AbsoluteTarget SplitAbsoluteTarget(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (!EqualsIgnoringCase(target.substr(0, kScheme.size()), kScheme)) return {};
  const std::string_view after = target.substr(kScheme.size());
  const size_t end = after.find_first_of("/?");
  return {after.substr(0, end),
          end == std::string_view::npos ? std::string_view() : after.substr(end)};
}

void AppendRequestHead(const http::RequestHead& head, const ForwardedFor& forwarded,
                       std::string& out) {
  const bool absolute = head.target.front() != '/' && head.target != "*";
  const AbsoluteTarget parts = absolute ? SplitAbsoluteTarget(head.target) : AbsoluteTarget{};
  out.append(head.method).append(" ", 1);
  if (absolute) {
    if (parts.rest.empty() || parts.rest.front() != '/') out.append("/", 1);
    out.append(parts.rest);
  } else {
    out.append(head.target);
  }
  out.append(head.minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n", 11);
  if (absolute) AppendField(out, "Host", parts.authority);

  std::string_view host = parts.authority;
  std::string_view earlier;  // The first X-Forwarded-For; more of them are rare.
  size_t earlier_lines = 0;
  bool has_id = false;
  bool has_proto = false;
  bool has_host = false;
  const Dropped dropped(head.fields);
  for (const Field& field : head.fields) {
    const Kind kind = KindOf(field.name);
    if (dropped(field, kind)) continue;
    switch (kind) {
      case Kind::kHost:
        if (absolute) continue;
        host = field.value;
        break;
      case Kind::kForwardedFor:
        if (earlier_lines++ == 0) earlier = field.value;
        continue;  // All of them go into one line, below.
      case Kind::kForwardedProto:
        has_proto = true;
        break;
      case Kind::kForwardedHost:
        has_host = true;
        break;
      case Kind::kRequestId:
        has_id = true;
        break;
      default:
        break;
    }
    AppendField(out, field.name, field.value);
  }
  out.append("X-Forwarded-For: ");
  if (earlier_lines == 1 && !earlier.empty()) {
    out.append(earlier).append(", ", 2);
  } else if (earlier_lines > 1) {
    for (const Field& field : head.fields) {
      if (KindOf(field.name) == Kind::kForwardedFor && !field.value.empty()) {
        out.append(field.value).append(", ", 2);
      }
    }
  }
  out.append(forwarded.client_ip).append("\r\n", 2);
  if (!has_proto) AppendField(out, "X-Forwarded-Proto", "http");
  if (!has_host && !host.empty()) AppendField(out, "X-Forwarded-Host", host);
  if (!has_id) AppendField(out, "X-Request-Id", forwarded.request_id);
  if (forwarded.upgrade) {
    AppendField(out, "Connection", "upgrade");
    AppendField(out, "Upgrade", head.fields.Find("upgrade")->value);
  }
  out.append("\r\n", 2);
}

void AppendResponseHead(const http::ResponseHead& head, const AnswerConnection& connection,
                        std::string& out) {
  AppendStatusLine(out, head.status, head.reason);
  const Dropped dropped(head.fields);
  for (const Field& field : head.fields) {
    if (!dropped(field, KindOf(field.name))) AppendField(out, field.name, field.value);
  }
  if (connection.upgrade) {
    AppendField(out, "Connection", "upgrade");
    if (const Field* upgrade = head.fields.Find("upgrade"))
      AppendField(out, "Upgrade", upgrade->value);
  } else if (head.status / 100 == 1) {
    // An interim answer says nothing about the connection.
  } else if (!connection.keep_alive) {
    AppendField(out, "Connection", "close");
  } else if (connection.client_minor_version == 0) {
    AppendField(out, "Connection", "keep-alive");
  }
  out.append("\r\n", 2);
}

void AppendOwnAnswer(int status, std::string_view reason, std::string_view text, bool keep_alive,
                     bool without_body, std::string& out) {
  AppendStatusLine(out, status, ReasonPhrase(status));
  AppendField(out, "Content-Type", "text/plain; charset=utf-8");
  AppendField(out, "Content-Length", std::to_string(text.size()));
  AppendField(out, "X-GoComet-Error", reason);
  if (!keep_alive) AppendField(out, "Connection", "close");
  out.append("\r\n");
  if (!without_body) out.append(text);
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace gocomet::dataplane
