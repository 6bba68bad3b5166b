#pragma once

#include <string>
#include <string_view>

#include "common/http/message.h"
#include "common/http/request_rules.h"

// The heads that leave the balancer. Pure: they are appended to `out`.
namespace gocomet::dataplane {

struct ForwardedFor {
  std::string_view client_ip;
  std::string_view request_id;    // For requests that bring none of their own.
  bool client_is_trusted = true;  // What it says in X-Forwarded-* of earlier hops is passed on.
  std::string_view via;           // Our name in Via (RFC 9110, 7.6.3); empty for no such line.
};

// The request for the worker, in our own version of HTTP, 1.1, whatever the client's (RFC
// 9110, 2.5); `meaning` is the head's, and good. An absolute-form target becomes origin-form, or
// `*` for OPTIONS without a path, and its authority the Host (RFC 9112, 3.2).
void AppendRequestHead(const http::RequestHead& head, const http::RequestMeaning& meaning,
                       const ForwardedFor& forwarded, std::string& out);

struct AnswerConnection {
  bool keep_alive = true;
  int client_minor_version = 1;
  bool upgrade = false;
  std::string_view via;  // As above.
};

// The worker's answer for the client. One that never has a body says nothing of its length,
// whatever the worker said (RFC 9110, 8.6; RFC 9112, 6.1).
void AppendResponseHead(const http::ResponseHead& head, const AnswerConnection& connection,
                        std::string& out);

// An answer that the balancer makes itself, with its reason in X-GoComet-Error.
void AppendOwnAnswer(int status, std::string_view reason, std::string_view text, bool keep_alive,
                     bool without_body, std::string& out);

// `Not Found` for 404, and so on; empty for a status that the balancer never answers with.
std::string_view ReasonPhrase(int status);

}  // namespace gocomet::dataplane
