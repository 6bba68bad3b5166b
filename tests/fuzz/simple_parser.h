#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The grammar again, as plainly as it can be said: whole messages, one line after the other, in
// copies. For comparing with; it shares no code with the real parser.
namespace gocomet::fuzz {

struct SimpleHead {
  std::string first_line;
  std::vector<std::pair<std::string, std::string>> fields;
  size_t size = 0;  // Bytes, with the empty line.
};

// A head at the front of `bytes`, after `empty_lines_max` empty lines at most. None where it is not
// whole or not valid. The first line is not looked into, beyond its characters.
std::optional<SimpleHead> ReadSimpleHead(std::string_view bytes, size_t empty_lines_max);

struct SimpleRequestLine {
  std::string method;
  std::string target;
  int minor_version = 1;
};
std::optional<SimpleRequestLine> ReadSimpleRequestLine(const std::string& line);

struct SimpleStatusLine {
  int status = 0;
  std::string reason;
  int minor_version = 1;
};
std::optional<SimpleStatusLine> ReadSimpleStatusLine(const std::string& line);

// The size of the chunked body at the front of `bytes`; none where it is not whole or not valid.
// Limits are not looked at.
std::optional<size_t> SizeOfSimpleChunkedBody(std::string_view bytes);

}  // namespace gocomet::fuzz
