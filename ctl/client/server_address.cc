#include "ctl/client/server_address.h"

#include <algorithm>

#include "common/base/address.h"
#include "common/base/text.h"

namespace gocomet::ctl {
namespace {

bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool IsPort(std::string_view port) {
  if (port.empty() || port.size() > 5) return false;
  uint32_t number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  return number >= 1 && number <= 65535;
}

}  // namespace

absl::StatusOr<ServerAddress> ServerAddress::Parse(std::string_view text) {
  ServerAddress server;
  server.text = std::string(text);
  server.target = server.text;
  if (const auto address = Address::Parse(text); address.ok()) {
    server.is_local = address->is_unix() || address->is_loopback();
    server.port = address->is_unix() ? 0 : address->port();
    if (address->is_unix() || address->port() != 0) return server;
  }
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && IsHostName(text.substr(0, colon)) &&
      IsPort(text.substr(colon + 1))) {
    server.is_local = text.substr(0, colon) == "localhost";
    server.port = static_cast<uint16_t>(std::stoi(std::string(text.substr(colon + 1))));
    return server;
  }
  return absl::InvalidArgumentError(
      Cat("'", text, "' is not an address: expected IP:PORT, host:port or unix:/path"));
}

}  // namespace gocomet::ctl
