#pragma once

#include <string>
#include <string_view>

#include "common/http/message.h"

// The heads that leave the balancer. Pure: they are appended to `out`.
namespace gocomet::dataplane {

struct ForwardedFor {
  std::string_view client_ip;
  std::string_view request_id;  // For requests that bring none of their own.
  bool upgrade = false;         // The client asks for another protocol, and may have it.
};

// The parts of an absolute-form target, `http://authority/path?query` (RFC 9112, 3.2.2).
struct AbsoluteTarget {
  std::string_view authority;  // Empty where the target is of another form.
  std::string_view rest;       // May be empty, or begin with `?`.
};
AbsoluteTarget SplitAbsoluteTarget(std::string_view target);

// The request for the worker. An absolute-form target becomes origin-form, and its authority the
// Host (RFC 9112, 3.2.2).
void AppendRequestHead(const http::RequestHead& head, const ForwardedFor& forwarded,
                       std::string& out);

struct AnswerConnection {
  bool keep_alive = true;
  int client_minor_version = 1;
  bool upgrade = false;
};

// The worker's answer for the client.
void AppendResponseHead(const http::ResponseHead& head, const AnswerConnection& connection,
                        std::string& out);

// An answer that the balancer makes itself, with its reason in X-GoComet-Error.
void AppendOwnAnswer(int status, std::string_view reason, std::string_view text, bool keep_alive,
                     bool without_body, std::string& out);

// `Not Found` for 404, and so on; empty for a status that the balancer never answers with.
std::string_view ReasonPhrase(int status);

}  // namespace gocomet::dataplane
