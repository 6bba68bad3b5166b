#include "dataplane/proxy/rewrite.h"

#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

using http::EqualsIgnoringCase;
using http::Field;

constexpr std::string_view kHopByHop[] = {
    "connection", "keep-alive",         "proxy-connection",   "te",
    "upgrade",    "proxy-authenticate", "proxy-authorization"};
// Dropping these because a client named them in Connection would change what the message is.
constexpr std::string_view kNeverDropped[] = {"host", "content-length", "transfer-encoding"};

bool IsOneOf(std::string_view name, const auto& names) {
  for (const std::string_view candidate : names) {
    if (EqualsIgnoringCase(name, candidate)) return true;
  }
  return false;
}

void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// `http://authority/path?query` taken apart; false where the target is of another form.
bool SplitAbsoluteForm(std::string_view target, std::string_view& authority,
                       std::string_view& rest) {
  constexpr std::string_view kScheme = "http://";
  if (target.size() <= kScheme.size() ||
      !EqualsIgnoringCase(target.substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  const std::string_view after = target.substr(kScheme.size());
  const size_t end = after.find_first_of("/?");
  authority = after.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : after.substr(end);
  return !authority.empty();
}

}  // namespace

bool IsHopByHop(const Field& field, const http::Fields& fields) {
  if (IsOneOf(field.name, kNeverDropped)) return false;
  return IsOneOf(field.name, kHopByHop) || fields.ListHas("connection", field.name);
}

void AppendRequestHead(const http::RequestHead& head, const ForwardedFor& forwarded,
                       std::string& out) {
  std::string_view authority;
  std::string_view rest;
  const bool absolute = SplitAbsoluteForm(head.target, authority, rest);
  out.append(head.method).append(" ");
  if (absolute) {
    if (rest.empty() || rest.front() != '/') out.append("/");
    out.append(rest);
  } else {
    out.append(head.target);
  }
  out.append(head.minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  if (absolute) AppendField(out, "Host", authority);

  const Field* host = nullptr;
  bool has_id = false;
  bool has_proto = false;
  bool has_host = false;
  for (const Field& field : head.fields) {
    if (IsHopByHop(field, head.fields)) continue;
    if (EqualsIgnoringCase(field.name, "host")) {
      host = &field;
      if (absolute) continue;
    } else if (EqualsIgnoringCase(field.name, "x-forwarded-for")) {
      continue;  // All of them go into one line, below.
    }
    has_id = has_id || EqualsIgnoringCase(field.name, "x-request-id");
    has_proto = has_proto || EqualsIgnoringCase(field.name, "x-forwarded-proto");
    has_host = has_host || EqualsIgnoringCase(field.name, "x-forwarded-host");
    AppendField(out, field.name, field.value);
  }
  out.append("X-Forwarded-For: ");
  for (const Field& field : head.fields) {
    if (EqualsIgnoringCase(field.name, "x-forwarded-for") && !field.value.empty()) {
      out.append(field.value).append(", ");
    }
  }
  out.append(forwarded.client_ip).append("\r\n");
  if (!has_proto) AppendField(out, "X-Forwarded-Proto", "http");
  if (!has_host && host != nullptr) AppendField(out, "X-Forwarded-Host", host->value);
  if (!has_id) AppendField(out, "X-Request-Id", forwarded.request_id);
  if (forwarded.upgrade) {
    AppendField(out, "Connection", "upgrade");
    AppendField(out, "Upgrade", head.fields.Find("upgrade")->value);
  }
  out.append("\r\n");
}

void AppendResponseHead(const http::ResponseHead& head, const AnswerConnection& connection,
                        std::string& out) {
  out.append(Cat("HTTP/1.1 ", head.status, " ", head.reason, "\r\n"));
  for (const Field& field : head.fields) {
    if (!IsHopByHop(field, head.fields)) AppendField(out, field.name, field.value);
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
  out.append("\r\n");
}

void AppendOwnAnswer(int status, std::string_view reason, std::string_view text, bool keep_alive,
                     bool without_body, std::string& out) {
  out.append(Cat("HTTP/1.1 ", status, " ", ReasonPhrase(status), "\r\n"));
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
