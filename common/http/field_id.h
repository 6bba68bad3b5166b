#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// The header fields that a proxy must know, told apart once: while the head is parsed. Pure.
namespace gocomet::http {

enum class FieldId : uint8_t {
  kOther,
  kConnection,
  kContentLength,
  kExpect,
  kHost,
  kKeepAlive,
  kProxyAuthenticate,
  kProxyAuthenticationInfo,
  kProxyAuthorization,
  kProxyConnection,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kVia,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedProto,
  kXRequestId,
};
inline constexpr size_t kFieldIds = static_cast<size_t>(FieldId::kXRequestId) + 1;
inline constexpr size_t kFieldNameBytesMax = 25;  // Of those.

namespace field_id_internal {

// Bit 0x20 is the case of letters, and is set in `-` and in digits. No other character of a token
// becomes one of those by setting it, so that the comparison is exact for tokens.
template <size_t kSize>
bool Is(const char* name, const char (&lower)[kSize]) {
  constexpr size_t kLength = kSize - 1;
  if constexpr (kLength >= 8) {
    constexpr uint64_t kCase = 0x2020202020202020;
    const auto differs = [&](size_t at) {
      uint64_t a = 0;
      uint64_t b = 0;
      std::memcpy(&a, name + at, sizeof(a));
      std::memcpy(&b, lower + at, sizeof(b));
      return (a | kCase) ^ b;
    };
    uint64_t differences = differs(kLength - 8);
    for (size_t at = 0; at + 8 < kLength; at += 8) differences |= differs(at);
    return differences == 0;
  } else {
    unsigned differences = 0;
    for (size_t at = 0; at < kLength; ++at) {
      differences |=
          (static_cast<unsigned char>(name[at]) | 0x20u) ^ static_cast<unsigned char>(lower[at]);
    }
    return differences == 0;
  }
}

}  // namespace field_id_internal

// Of a token, without regard to case. Most names are told apart by their length alone.
inline FieldId Identify(std::string_view token) {
  using field_id_internal::Is;
  const char* name = token.data();
  switch (token.size()) {
    case 2:
      return Is(name, "te") ? FieldId::kTe : FieldId::kOther;
    case 3:
      return Is(name, "via") ? FieldId::kVia : FieldId::kOther;
    case 4:
      return Is(name, "host") ? FieldId::kHost : FieldId::kOther;
    case 6:
      return Is(name, "expect") ? FieldId::kExpect : FieldId::kOther;
    case 7:
      if (Is(name, "upgrade")) return FieldId::kUpgrade;
      return Is(name, "trailer") ? FieldId::kTrailer : FieldId::kOther;
    case 10:
      if (Is(name, "connection")) return FieldId::kConnection;
      return Is(name, "keep-alive") ? FieldId::kKeepAlive : FieldId::kOther;
    case 12:
      return Is(name, "x-request-id") ? FieldId::kXRequestId : FieldId::kOther;
    case 14:
      return Is(name, "content-length") ? FieldId::kContentLength : FieldId::kOther;
    case 15:
      return Is(name, "x-forwarded-for") ? FieldId::kXForwardedFor : FieldId::kOther;
    case 16:
      if (Is(name, "x-forwarded-host")) return FieldId::kXForwardedHost;
      return Is(name, "proxy-connection") ? FieldId::kProxyConnection : FieldId::kOther;
    case 17:
      if (Is(name, "transfer-encoding")) return FieldId::kTransferEncoding;
      return Is(name, "x-forwarded-proto") ? FieldId::kXForwardedProto : FieldId::kOther;
    case 18:
      return Is(name, "proxy-authenticate") ? FieldId::kProxyAuthenticate : FieldId::kOther;
    case 19:
      return Is(name, "proxy-authorization") ? FieldId::kProxyAuthorization : FieldId::kOther;
    case 25:
      return Is(name, "proxy-authentication-info") ? FieldId::kProxyAuthenticationInfo
                                                   : FieldId::kOther;
    default:
      return FieldId::kOther;
  }
}

// About one connection, and never passed on (RFC 9110, 7.6.1 and 11.7).
constexpr bool IsHopByHop(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthenticationInfo:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kUpgrade:
      return true;
    default:
      return false;
  }
}

// May not come as a trailer: a recipient that merged it into the header fields would read another
// message (RFC 9110, 6.5.1).
constexpr bool IsForbiddenTrailer(FieldId id) {
  return IsHopByHop(id) || id == FieldId::kContentLength || id == FieldId::kExpect ||
         id == FieldId::kHost || id == FieldId::kTrailer || id == FieldId::kTransferEncoding;
}

}  // namespace gocomet::http
