#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "common/http/message.h"

namespace gocomet::dataplane {

enum class Algorithm : uint8_t {
  kRoundRobin,
  kWeighted,
  kLeastRequests,
  kTwoChoices,
  kConsistentHash,
};

// `round-robin`, `weighted`, `least-requests`, `two-choices`, `consistent-hash`. INVALID_ARGUMENT
// names those there are.
absl::StatusOr<Algorithm> ParseAlgorithm(std::string_view text);
std::string_view NameOf(Algorithm algorithm);

// What of a request keeps it with one worker.
struct HashOn {
  enum class Source : uint8_t { kHeader, kCookie, kClientAddress };
  Source source = Source::kClientAddress;
  std::string name;  // Of the header or cookie.

  // `header:NAME`, `cookie:NAME` or `client-address`. INVALID_ARGUMENT says what is wrong.
  static absl::StatusOr<HashOn> Parse(std::string_view text);
  std::string ToString() const;

  // The hash of a request's key; nothing where the request has none. Of several headers of the name
  // the first counts, and of several cookies too.
  std::optional<uint64_t> KeyOf(const http::Fields& fields, std::string_view client_ip) const;

  bool operator==(const HashOn&) const = default;
};

}  // namespace gocomet::dataplane
