#pragma once

#include <cstddef>
#include <string_view>

#include "common/http/message.h"

namespace gocomet::http {

enum class Parse : unsigned char { kDone, kMore, kBad };

// Why a message is refused: the status that a server answers with, a word for counters, and a
// sentence for people where there is more to say than the status does.
struct Fault {
  int status = 400;
  const char* reason = "";
  const char* text = "";
};

struct HeadResult {
  Parse state = Parse::kMore;
  size_t consumed = 0;  // Bytes of the head, with the empty line, where it is done.
  Fault fault;          // Where it is bad.
};

// Reads one head from the beginning of `bytes` (RFC 9112, 2 to 5). The views in `head` point into
// `bytes`. `seen` bytes were looked at by an earlier call that said kMore, so that a peer who sends
// one byte at a time costs linear time in all. Reads nothing past the end; allocates nothing.
//
// Strict: lines end in CRLF; a bare CR or LF, NUL and other control characters, white space before
// a colon, folded lines, fields without a name, and versions other than 1.0 and 1.1 are refused.
// A few empty lines before a request line are skipped, as the RFC asks servers to. A target may
// hold any visible ASCII character but `#`: what URIs do not allow (RFC 3986) is passed on as it
// came, since clients send it and nothing here decodes it.
//
// The fault is the first one from left to right, and is found as soon as the bytes up to it are
// there, at the latest with the end of the head.
HeadResult ParseRequestHead(std::string_view bytes, size_t seen, const HeadLimits& limits,
                            RequestHead& head);

// The same for an answer; every fault has status 502.
HeadResult ParseResponseHead(std::string_view bytes, size_t seen, const HeadLimits& limits,
                             ResponseHead& head);

}  // namespace gocomet::http
