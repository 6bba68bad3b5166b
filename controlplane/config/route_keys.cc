// The keys of one route.
#include <algorithm>
#include <chrono>

#include "controlplane/config/config_keys.h"
#include "controlplane/config/value_rules.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr uint32_t kWeightMax = 1'000'000;
constexpr size_t kHeadersMax = 100;
constexpr uint32_t kRetriesMax = 10;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string Lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), Lower);
  return text;
}

// `NAME: VALUE`, or `NAME: {present: true}`.
ConfigKey::Entries HeaderEntries() {
  KeysOf<HeaderMatch> match;
  match.Read(
      "", "the whole value of the header, or {present: true} where any will do",
      {.kind = ScalarShape::Kind::kAnything},
      [](const YamlNode& scalar, HeaderMatch& header) {
        if (!IsWritten(scalar) || !IsHeaderValue(scalar.text)) return false;
        header.value = scalar.text;
        return true;
      },
      [](const HeaderMatch& header) { return header.value ? YamlText(*header.value) : ""; }, "");
  KeysOf<HeaderMatch> present;
  present
      .Read(
          "present", "true", {.kind = ScalarShape::Kind::kBoolean},
          [](const YamlNode& scalar, HeaderMatch& header) {
            header.value.reset();
            return scalar.kind == YamlNode::Kind::kPlain && scalar.text == "true";
          },
          [](const HeaderMatch& header) { return header.value ? "" : "true"; },
          "The header is there, whatever its value.")
      .is_required = true;
  match.Last().group =
      ConfigKey::Group{std::move(present).Take(), [](void* header) { return header; }};

  ConfigKey::Entries entries;
  entries.named = true;
  entries.max = kHeadersMax;
  entries.called = "a header";
  entries.name_expected = "the name of a header";
  entries.name_pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
  entries.accepts_name = IsHeaderName;
  entries.each = [](const void* owner, const auto& visit) {
    for (const HeaderMatch& header : static_cast<const Route*>(owner)->headers) {
      visit(header.name, &header);
    }
  };
  entries.add = [](void* owner, const std::string& name) -> void* {
    return &static_cast<Route*>(owner)->headers.emplace_back(HeaderMatch{name, std::nullopt});
  };
  entries.settle = [](void* owner) {
    auto& headers = static_cast<Route*>(owner)->headers;
    std::stable_sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) {
      return Lowered(a.name) < Lowered(b.name);
    });
  };
  entries.blank = [](const std::string& name) {
    return std::make_shared<HeaderMatch>(HeaderMatch{name, std::nullopt});
  };
  entries.entry = std::make_shared<const ConfigKey>(std::move(match).TakeOnly());
  return entries;
}

// `service: web` says it all.
bool IsOneService(const Route& route) {
  return route.targets.size() == 1 && route.targets[0].weight == 1;
}

ConfigKey::Entries TargetEntries() {
  KeysOf<RouteTarget> weight;
  weight.Number(
      "", 0, kWeightMax, "", [](auto& t) -> auto& { return t.weight; }, "");
  ConfigKey::Entries entries;
  entries.named = true;
  entries.max = kServicesMax;
  entries.name_expected = "the name of a service";
  entries.name_pattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$";
  entries.accepts_name = IsLabel;
  entries.each = [](const void* owner, const auto& visit) {
    const auto& route = *static_cast<const Route*>(owner);
    if (IsOneService(route)) return;
    for (const RouteTarget& target : route.targets) visit(target.service, &target);
  };
  entries.add = [](void* owner, const std::string& name) -> void* {
    return &static_cast<Route*>(owner)->targets.emplace_back(RouteTarget{name, 1});
  };
  entries.settle = [](void* owner) {
    auto& targets = static_cast<Route*>(owner)->targets;
    std::stable_sort(targets.begin(), targets.end(),
                     [](const auto& a, const auto& b) { return a.service < b.service; });
  };
  entries.blank = [](const std::string& name) {
    return std::make_shared<RouteTarget>(RouteTarget{name, 1});
  };
  entries.entry = std::make_shared<const ConfigKey>(std::move(weight).TakeOnly());
  return entries;
}

KeysOf<Route> TimeoutKeys() {
  KeysOf<Route> keys;
  keys.Duration(
      "connect", milliseconds(1), hours(1), "", [](auto& r) -> auto& { return r.connect_timeout; },
      "How long a connection to a worker may take to open.");
  keys.Duration(
      "response", milliseconds(1), hours(24), "",
      [](auto& r) -> auto& { return r.response_timeout; },
      "How long a worker may take from the request to the head of its answer.");
  keys.Duration(
      "body", milliseconds(1), hours(24), "", [](auto& r) -> auto& { return r.body_timeout; },
      "How long a body may make no progress, in either direction.");
  return keys;
}

void AddMatch(KeysOf<Route>& keys) {
  keys.Text(
          "name", "a name in lower-case letters, digits and hyphens of at most 40 characters",
          IsLabel, [](auto& r) -> auto& { return r.name; },
          "Names the route in statistics and differences; each has its own.")
      .is_required = true;
  keys.Last().is_main = true;
  keys.Read(
      "host", "a host such as www.example.com or *.example.com, without a port", {},
      [](const YamlNode& scalar, Route& route) {
        const bool fits = IsText(scalar) && IsRouteHost(scalar.text);
        if (fits) route.host = Lowered(scalar.text);
        return fits;
      },
      [](const Route& route) { return route.host.empty() ? "" : YamlText(route.host); },
      "Takes requests for this host alone, or with `*.` for all below it. Without it: for any.");
  keys.Last().synonyms = {"hosts", "hostname", "domain"};
  keys.Text(
      "path-prefix", "a path such as /api, without a slash at the end", IsPathPrefix,
      [](auto& r) -> auto& { return r.path_prefix; },
      "Takes requests for this path and all below it: `/api` takes `/api` and `/api/x`, not "
      "`/apix`.");
  keys.Last().synonyms = {"path", "prefix", "paths"};
  keys.EntriesOf(
      "headers", "names and values such as `X-Canary: always`", HeaderEntries(),
      "Takes requests with all of these headers alone. `NAME: VALUE` for the whole value "
      "of one field line, `NAME: {present: true}` for any.");
  keys.Last().synonyms = {"header"};
}

void AddTargets(KeysOf<Route>& keys) {
  keys.Read(
      "service", "the name of a service", {.pattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"},
      [](const YamlNode& scalar, Route& route) {
        const bool fits = IsText(scalar) && IsLabel(scalar.text);
        if (fits) route.targets.push_back({scalar.text, 1});
        return fits;
      },
      [](const Route& route) {
        return IsOneService(route) ? YamlText(route.targets[0].service) : "";
      },
      "Where its requests go.");
  keys.Last().synonyms = {"backend", "target", "upstream", "to"};
  keys.EntriesOf("services", "names of services and their weights such as {web: 90, web-next: 10}",
                 TargetEntries(),
                 "Where its requests go, with weights: the share of each is its weight in the sum "
                 "of them.");
  keys.Last().synonyms = {"backends", "targets", "weights"};
}

}  // namespace

KeysOf<Route> RouteKeys() {
  KeysOf<Route> keys;
  AddMatch(keys);
  AddTargets(keys);
  keys.Choice<>(
      "algorithm",
      std::vector{Algorithm::kRoundRobin, Algorithm::kLeastRequests, Algorithm::kTwoChoices,
                  Algorithm::kConsistentHash},
      [](auto& r) -> auto& { return r.algorithm; },
      "How a balancer chooses among the workers of the service.");
  keys.Read(
      "hash-on", "client-address, header:NAME or cookie:NAME",
      {.pattern = "^(client-address|(header|cookie):.+)$"},
      [](const YamlNode& scalar, Route& route) {
        const bool fits = IsText(scalar) && IsHashKey(scalar.text);
        if (fits) route.hash_on = scalar.text;
        return fits;
      },
      [](const Route& route) { return route.hash_on.empty() ? "" : YamlText(route.hash_on); },
      "What requests have in common that go to the same worker.");
  keys.Last().applies = [](const void* owner) {
    return static_cast<const Route*>(owner)->algorithm == Algorithm::kConsistentHash;
  };
  keys.Last().applies_to = "a route with `algorithm: consistent-hash`";
  keys.Group(
      "timeouts", TimeoutKeys(), [](auto& r) -> auto& { return r; },
      "Of its requests; those that are not said are the balancer's own.");
  keys.Last().synonyms = {"timeout"};
  keys.Number(
      "retries", 0, kRetriesMax, "", [](auto& r) -> auto& { return r.retries; },
      "Further attempts at a request, where another is safe; otherwise the balancer's own number.");
  return keys;
}

ConfigKey::Entries RouteEntries() {
  ConfigKey route;
  route.expected = "a mapping with `name` and other keys";
  route.group = ConfigKey::Group{RouteKeys().Take(), [](void* owner) -> void* { return owner; }};
  ConfigKey::Entries entries;
  entries.max = kRoutesMax;
  entries.called = "a route";
  entries.names_differences = true;
  entries.each = [](const void* owner, const auto& visit) {
    for (const Route& each : static_cast<const ConfigFile*>(owner)->config.routes) {
      visit(each.name, &each);
    }
  };
  entries.add = [](void* owner, const std::string&) -> void* {
    return &static_cast<ConfigFile*>(owner)->config.routes.emplace_back();
  };
  entries.blank = [](const std::string&) { return std::make_shared<Route>(); };
  entries.entry = std::make_shared<const ConfigKey>(std::move(route));
  return entries;
}

}  // namespace gocomet::controlplane
