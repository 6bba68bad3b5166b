#include "dataplane/proxy/rewrite.h"

namespace gocomet::dataplane {
namespace {

using http::Field;
using http::FieldId;

// Whether the peer declared a field to be about its own connection. What frames or routes the
// message, or dropping would change it, stays.
bool IsNamedByConnection(const Field& field, const http::Fields& fields,
                         const http::ConnectionOptions& connection) {
  if (!connection.names_fields) return false;
  switch (field.id) {
    case FieldId::kContentLength:
    case FieldId::kHost:
    case FieldId::kTransferEncoding:
      return false;
    default:
      return fields.ListHas(FieldId::kConnection, field.name);
  }
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

// Appends field lines, those that stand together and in the usual form at once, as they came.
class FieldLines {
 public:
  explicit FieldLines(std::string& out) : out_(out) {}
  ~FieldLines() { Flush(); }
  FieldLines(const FieldLines&) = delete;
  FieldLines& operator=(const FieldLines&) = delete;

  void Append(const Field& field) {
    const char* const name_end = field.name.data() + field.name.size();
    const char* const value_end = field.value.data() + field.value.size();
    // `Name: value` and CRLF, with no other white space, which some worker might read otherwise.
    const bool usual =
        field.value.data() == name_end + 2 && name_end[1] == ' ' && *value_end == '\r';
    if (!usual) {
      Flush();
      AppendField(out_, field.name, field.value);
      return;
    }
    if (field.name.data() != end_) {
      Flush();
      begin_ = field.name.data();
    }
    end_ = value_end + 2;
  }
  void Flush() {
    out_.append(begin_, static_cast<size_t>(end_ - begin_));
    begin_ = end_ = nullptr;
  }

 private:
  std::string& out_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
};

void AppendStatusLine(std::string& out, int status, std::string_view reason) {
  const char digits[] = {static_cast<char>('0' + status / 100),
                         static_cast<char>('0' + status / 10 % 10),
                         static_cast<char>('0' + status % 10), ' '};
  out.append("HTTP/1.1 ", 9).append(digits, 4).append(reason).append("\r\n", 2);
}

// Of an absolute-form target, for the server that it names (RFC 9112, 3.2.1 and 3.2.4).
void AppendPath(std::string_view method, std::string_view rest, std::string& out) {
  if (rest.empty() && method == "OPTIONS") {
    out.append("*", 1);
    return;
  }
  if (!rest.starts_with('/')) out.append("/", 1);
  out.append(rest);
}

void AppendVia(std::string& out, int minor_version, std::string_view name) {
  if (name.empty()) return;
  out.append(minor_version == 1 ? "Via: 1.1 " : "Via: 1.0 ", 9).append(name).append("\r\n", 2);
}

// What earlier proxies said, each followed by a comma.
void AppendForwardedFor(const http::Fields& fields, std::string& out) {
  for (const Field& field : fields) {
    if (field.id == FieldId::kXForwardedFor && !field.value.empty()) {
      out.append(field.value).append(", ", 2);
    }
  }
}

}  // namespace

void AppendRequestHead(const http::RequestHead& head, const http::RequestMeaning& meaning,
                       const ForwardedFor& forwarded, std::string& out) {
  std::string_view host;
  out.append(head.method).append(" ", 1);
  if (meaning.form == http::TargetForm::kAbsolute) {
    const http::AbsoluteTarget parts = http::SplitAbsoluteTarget(head.target);
    host = parts.authority;
    AppendPath(head.method, parts.rest, out);
  } else {
    out.append(head.target);
  }
  out.append(" HTTP/1.1\r\n", 11);
  const bool host_is_known = !host.empty();
  // A target without an authority has a Host all the same, an empty one (RFC 9112, 3.2).
  const bool host_is_missing = head.fields.Count(FieldId::kHost) == 0;
  if (host_is_known || host_is_missing) AppendField(out, "Host", host);

  bool has_id = false;
  bool has_proto = false;
  bool has_host = false;
  bool has_earlier = false;
  FieldLines lines(out);
  for (const Field& field : head.fields) {
    if (http::IsHopByHop(field.id)) continue;
    if (IsNamedByConnection(field, head.fields, meaning.connection)) continue;
    switch (field.id) {
      case FieldId::kHost:
        if (host_is_known) continue;
        host = field.value;
        break;
      case FieldId::kExpect:
        if (head.minor_version == 0) continue;  // It cannot be met (RFC 9110, 10.1.1).
        break;
      case FieldId::kXForwardedFor:
        has_earlier = forwarded.client_is_trusted;
        continue;  // All of them go into one line, below.
      case FieldId::kXForwardedProto:
        if (!forwarded.client_is_trusted) continue;
        has_proto = true;
        break;
      case FieldId::kXForwardedHost:
        if (!forwarded.client_is_trusted) continue;
        has_host = true;
        break;
      case FieldId::kXRequestId:
        has_id = true;
        break;
      default:
        break;
    }
    lines.Append(field);
  }
  lines.Flush();
  out.append("X-Forwarded-For: ", 17);
  if (has_earlier) AppendForwardedFor(head.fields, out);
  out.append(forwarded.client_ip).append("\r\n", 2);
  if (!has_proto) AppendField(out, "X-Forwarded-Proto", "http");
  if (!has_host && !host.empty()) AppendField(out, "X-Forwarded-Host", host);
  if (!has_id) AppendField(out, "X-Request-Id", forwarded.request_id);
  AppendVia(out, head.minor_version, forwarded.via);
  if (meaning.trailers) AppendField(out, "TE", "trailers");
  if (meaning.upgrade) {
    AppendField(out, "Connection", meaning.trailers ? "upgrade, TE" : "upgrade");
    AppendField(out, "Upgrade", head.fields.Find(FieldId::kUpgrade)->value);
  } else if (meaning.trailers) {
    AppendField(out, "Connection", "TE");
  }
  out.append("\r\n", 2);
}

void AppendResponseHead(const http::ResponseHead& head, const AnswerConnection& connection,
                        std::string& out) {
  AppendStatusLine(out, head.status, head.reason);
  const http::ConnectionOptions options = http::ReadConnectionOptions(head.fields);
  const bool never_has_body = head.status / 100 == 1 || head.status == 204;
  const bool knows_codings = connection.client_minor_version == 1;
  FieldLines lines(out);
  for (const Field& field : head.fields) {
    if (http::IsHopByHop(field.id)) continue;
    if (IsNamedByConnection(field, head.fields, options)) continue;
    if (field.id == FieldId::kContentLength && never_has_body) continue;
    if (field.id == FieldId::kTransferEncoding && (never_has_body || !knows_codings)) continue;
    lines.Append(field);
  }
  lines.Flush();
  AppendVia(out, head.minor_version, connection.via);
  if (connection.upgrade) {
    AppendField(out, "Connection", "upgrade");
    if (const Field* upgrade = head.fields.Find(FieldId::kUpgrade)) {
      AppendField(out, "Upgrade", upgrade->value);
    }
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
    case 404:
      return "Not Found";
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
