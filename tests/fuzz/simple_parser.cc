#include "tests/fuzz/simple_parser.h"

#include <algorithm>
#include <cstdlib>

namespace gocomet::fuzz {
namespace {

bool IsControl(char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; }

bool IsToken(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string("\"(),/:;<=>?@[\\]{}").find(c) == std::string::npos;
  });
}

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Takes one line off the front; none where it is not whole, or has control characters in it.
std::optional<std::string> TakeLine(std::string_view& bytes) {
  const size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::string line(bytes.substr(0, end));
  if (std::any_of(line.begin(), line.end(), IsControl)) return std::nullopt;
  bytes.remove_prefix(end + 2);
  return line;
}

std::optional<std::pair<std::string, std::string>> ReadField(const std::string& line) {
  const size_t colon = line.find(':');
  if (colon == std::string::npos || !IsToken(line.substr(0, colon))) return std::nullopt;
  return std::pair(line.substr(0, colon), Trimmed(line.substr(colon + 1)));
}

std::optional<int> MinorVersion(const std::string& text) {
  if (text != "HTTP/1.0" && text != "HTTP/1.1") return std::nullopt;
  return text.back() - '0';
}

}  // namespace

std::optional<SimpleHead> ReadSimpleHead(std::string_view bytes, size_t empty_lines_max) {
  const size_t all = bytes.size();
  SimpleHead head;
  for (size_t empty = 0;; ++empty) {
    const std::optional<std::string> line = TakeLine(bytes);
    if (!line || empty > empty_lines_max) return std::nullopt;
    head.first_line = *line;
    if (!line->empty()) break;
  }
  while (true) {
    const std::optional<std::string> line = TakeLine(bytes);
    if (!line) return std::nullopt;
    if (line->empty()) break;
    const auto field = ReadField(*line);
    if (!field) return std::nullopt;
    head.fields.push_back(*field);
  }
  head.size = all - bytes.size();
  return head;
}

std::optional<SimpleRequestLine> ReadSimpleRequestLine(const std::string& line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string::npos || first == last) return std::nullopt;
  SimpleRequestLine read{line.substr(0, first), line.substr(first + 1, last - first - 1)};
  const std::optional<int> minor = MinorVersion(line.substr(last + 1));
  const bool target_ok = std::all_of(read.target.begin(), read.target.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!minor || !IsToken(read.method) || read.target.empty() || !target_ok) return std::nullopt;
  read.minor_version = *minor;
  return read;
}

std::optional<SimpleStatusLine> ReadSimpleStatusLine(const std::string& line) {
  const std::optional<int> minor = MinorVersion(line.substr(0, 8));
  if (!minor || line.size() < 12 || line[8] != ' ') return std::nullopt;
  const std::string digits = line.substr(9, 3);
  if (digits.find_first_not_of("0123456789") != std::string::npos || digits[0] == '0') {
    return std::nullopt;
  }
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  return SimpleStatusLine{std::atoi(digits.c_str()), line.size() > 12 ? line.substr(13) : "",
                          *minor};
}

std::optional<size_t> SizeOfSimpleChunkedBody(std::string_view bytes) {
  const size_t all = bytes.size();
  while (true) {
    const std::optional<std::string> line = TakeLine(bytes);
    if (!line) return std::nullopt;
    const std::string digits = line->substr(0, line->find(';'));
    if (digits.empty() || digits.size() > 15 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
      return std::nullopt;
    }
    const size_t size = std::strtoull(digits.c_str(), nullptr, 16);
    if (size == 0) break;
    if (bytes.size() < size + 2 || bytes.substr(size, 2) != "\r\n") return std::nullopt;
    bytes.remove_prefix(size + 2);
  }
  while (true) {
    const std::optional<std::string> line = TakeLine(bytes);
    if (!line) return std::nullopt;
    if (line->empty()) return all - bytes.size();
    const auto field = ReadField(*line);
    if (!field) return std::nullopt;
    for (const char* forbidden :
         {"connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
          "proxy-authentication-info", "proxy-authorization", "proxy-connection", "te", "trailer",
          "transfer-encoding", "upgrade"}) {
      if (Lower(field->first) == forbidden) return std::nullopt;
    }
  }
}

}  // namespace gocomet::fuzz
