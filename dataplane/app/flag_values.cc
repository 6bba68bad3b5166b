#include "dataplane/app/flag_values.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/http/characters.h"
#include "common/http/target.h"

namespace gocomet::dataplane {
namespace {

constexpr std::string_view kWeight = ",weight=";
constexpr int kStatusMin = 100;
constexpr int kStatusMax = 599;

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, Number low, Number high) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < low || number > high) return std::nullopt;
  return number;
}

}  // namespace

absl::StatusOr<WantedEndpoint> ParseWorker(std::string_view text) {
  WantedEndpoint wanted;
  wanted.incarnation = 1;
  if (const size_t at = text.rfind(kWeight); at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + kWeight.size());
    const auto weight = ParseNumber<uint32_t>(digits, 1, kWeightMax);
    if (!weight) {
      return absl::InvalidArgumentError(
          Cat("the weight `", digits, "` of `", text, "` is not a number from 1 to ", kWeightMax));
    }
    wanted.weight = *weight;
    text = text.substr(0, at);
  }
  GOCOMET_ASSIGN_OR_RETURN(wanted.address, Address::Parse(text));
  wanted.worker_id = wanted.address.ToString();
  return wanted;
}

absl::StatusOr<std::vector<StatusRange>> ParseStatusRanges(std::string_view text) {
  std::vector<StatusRange> ranges;
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    const std::string_view range = rest.substr(0, comma);
    const size_t dash = range.find('-');
    const auto first = ParseNumber(range.substr(0, dash), kStatusMin, kStatusMax);
    const auto last = dash == std::string_view::npos
                          ? first
                          : ParseNumber(range.substr(dash + 1), kStatusMin, kStatusMax);
    if (!first || !last || *first > *last) {
      return absl::InvalidArgumentError(
          Cat("`", range,
              "` is neither a status from 100 to 599 nor a range of them; write 200, "
              "200-399 or 200-299,404"));
    }
    ranges.push_back({*first, *last});
    if (comma == std::string_view::npos) return ranges;
    rest.remove_prefix(comma + 1);
  }
}

absl::StatusOr<std::string> ParseHealthPath(std::string_view text) {
  if (!text.starts_with('/') || !http::IsTarget(text)) {
    return absl::InvalidArgumentError(
        Cat("`", text, "` is no path: it begins with / and holds no spaces or control characters"));
  }
  return std::string(text);
}

absl::StatusOr<std::string> ParseViaName(std::string_view text) {
  if (!text.empty() && (http::IsToken(text) || http::IsHost(text))) return std::string(text);
  return absl::InvalidArgumentError(Cat("'", text, "': expected a host name or a word"));
}

absl::StatusOr<AccessLogMode> ParseAccessLogMode(std::string_view text) {
  if (text == "all") return AccessLogMode::kAll;
  if (text == "errors") return AccessLogMode::kErrors;
  if (text == "slow") return AccessLogMode::kSlow;
  if (text == "sample") return AccessLogMode::kSample;
  return absl::InvalidArgumentError(Cat("`", text, "` is none of all, errors, slow and sample"));
}

absl::StatusOr<double> ParseShare(std::string_view text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  // Written so that it refuses what is not a number.
  const bool in_range = share >= 0 && share <= 1;
  if (error != std::errc() || end != text.data() + text.size() || !in_range) {
    return absl::InvalidArgumentError(Cat("`", text, "` is not a number from 0 to 1"));
  }
  return share;
}

std::string FindContradiction(const WantedService& service, Algorithm algorithm) {
  std::set<std::string> ids;
  for (const WantedEndpoint& wanted : service.endpoints) {
    if (!ids.insert(wanted.worker_id).second) {
      return Cat("--worker: ", wanted.worker_id, " is named twice; say it once, with a weight");
    }
    if (wanted.weight != 1 && algorithm == Algorithm::kRoundRobin) {
      return Cat("--worker: ", wanted.worker_id,
                 " has a weight, and round-robin knows none; add --algorithm weighted");
    }
  }
  if (service.slow_start.count() > 0 && algorithm == Algorithm::kConsistentHash) {
    return "--slow-start: with consistent-hash a key's worker does not change with time";
  }
  if (service.ejection.time > service.ejection.time_max) {
    return "--eject-time: it is longer than --eject-time-max";
  }
  return "";
}

}  // namespace gocomet::dataplane
