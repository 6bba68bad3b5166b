#pragma once

#include <string>
#include <string_view>

// What must be true of every input, each as a function that answers with the law that is broken, or
// with nothing. The fuzzers look for inputs that break one; the replay of the corpus shows that
// none of those that were found does so again.
namespace gocomet::fuzz {

// Heads of requests and of responses:
// - byte by byte they are judged as at once, and a fault that was found stays the same;
// - what is consumed is within the input, and so is every view;
// - a simple parser that takes one line after the other accepts the same heads with the same
// fields;
// - what the rewriter makes of an accepted head is accepted again, is framed in the same way, and
//   has the same end-to-end fields.
std::string BrokenByRequestHead(std::string_view input);
std::string BrokenByResponseHead(std::string_view input);

// Chunked bodies: byte by byte they are judged as at once, and a simple decoder that has the whole
// body sees the same end.
std::string BrokenByChunkedBody(std::string_view input);

// A request that would be passed on, with its body, is accepted by libhttp-parser too: with the
// same method, target, fields and end.
std::string BrokenAgainstHttpParser(std::string_view input);

// The vectorised scans and their scalar twins agree, wherever in the input they begin.
std::string BrokenByScans(std::string_view input);

}  // namespace gocomet::fuzz
