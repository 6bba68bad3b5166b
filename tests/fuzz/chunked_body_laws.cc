#include "common/http/body_scanner.h"
#include "tests/fuzz/laws.h"
#include "tests/fuzz/simple_parser.h"

namespace gocomet::fuzz {

std::string BrokenByChunkedBody(std::string_view input) {
  http::BodyScanner whole(http::Framing{.kind = http::BodyKind::kChunked});
  const size_t end = whole.Scan(input);
  if (end > input.size()) return "a body lies within the input";
  if (end < input.size() && !whole.done() && !whole.bad()) return "an open body takes all bytes";
  if (whole.done() && whole.Scan("0\r\n\r\n") != 0) return "a body that is done takes nothing more";

  http::BodyScanner slow(http::Framing{.kind = http::BodyKind::kChunked});
  size_t at = 0;
  while (at < input.size() && slow.Scan(input.substr(at, 1)) == 1) ++at;
  if (at != end || slow.done() != whole.done() || slow.bad() != whole.bad()) {
    return "byte by byte, a body is judged as at once";
  }
  // Below its limits the simple decoder, which has none, must agree.
  if (input.size() > http::BodyScanner::kExtensionBytesMax) return "";
  const std::optional<size_t> simple = SizeOfSimpleChunkedBody(input);
  if (simple.has_value() != whole.done()) return "the simple decoder agrees";
  return !simple || *simple == end ? "" : "the simple decoder sees the same end";
}

}  // namespace gocomet::fuzz
