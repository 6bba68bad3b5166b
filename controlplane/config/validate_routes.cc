#include <algorithm>
#include <map>
#include <set>

#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/nearest_key.h"
#include "controlplane/config/validate_config.h"

namespace gocomet::controlplane {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

// Whether every host that `narrow` takes is taken by `wide`.
bool CoversHost(std::string_view wide, std::string_view narrow) {
  if (wide.empty() || wide == narrow) return true;
  return wide.starts_with("*.") && !narrow.empty() && narrow.size() > wide.size() - 1 &&
         narrow.ends_with(wide.substr(1));
}

bool CoversPath(std::string_view wide, std::string_view narrow) {
  return wide == "/" || wide == narrow || (narrow.starts_with(wide) && narrow[wide.size()] == '/');
}

bool CoversHeaders(const std::vector<HeaderMatch>& wide, const std::vector<HeaderMatch>& narrow) {
  return std::all_of(wide.begin(), wide.end(), [&](const HeaderMatch& asked) {
    return std::any_of(narrow.begin(), narrow.end(), [&](const HeaderMatch& given) {
      return SameName(asked.name, given.name) && (!asked.value || asked.value == given.value);
    });
  });
}

bool Covers(const Route& wide, const Route& narrow) {
  return CoversHost(wide.host, narrow.host) && CoversPath(wide.path_prefix, narrow.path_prefix) &&
         CoversHeaders(wide.headers, narrow.headers);
}

class RouteValidation {
 public:
  RouteValidation(const Config& config, const Places& places, ConfigFindings& findings)
      : config_(config), places_(places), findings_(findings) {
    for (const Service& service : config.services) names_.push_back(service.name);
  }

  void Run() {
    if (config_.routes.empty()) return NeedsRoutes();
    std::map<std::string, size_t> by_name;
    for (size_t i = 0; i < config_.routes.size(); ++i) {
      const Route& route = config_.routes[i];
      const auto [first, is_new] = by_name.emplace(route.name, i);
      if (!is_new && !route.name.empty()) {
        Fault({Key(i, "name")}, Cat("is the name of routes[", first->second,
                                    "], too; expected another one for each"));
      }
      LeadsSomewhere(i, route);
      Hashes(i, route);
      HeadersOnce(i, route);
      IsReached(i, route);
    }
    if (findings_.faults.empty()) ServicesAreReached();
  }

 private:
  static std::string Key(size_t route, std::string_view key) {
    return Cat("routes[", route, "].", key);
  }

  void NeedsRoutes() {
    if (config_.services.size() < 2) return;
    const std::string& a = config_.services[0].name;
    const std::string& b = config_.services[1].name;
    Fault({"routes", "services"},
          Cat("there are ", config_.services.size(),
              " services and no routes between them; expected `routes:` that say which requests go "
              "where, such as [{name: ",
              a, ", path-prefix: /", a, ", service: ", a, "}, {name: ", b, ", service: ", b, "}]"));
  }

  void LeadsSomewhere(size_t i, const Route& route) {
    const bool is_one = places_.contains(Key(i, "service"));
    const bool is_many = places_.contains(Key(i, "services"));
    if (is_one && is_many) {
      return Fault({Key(i, "services"), Key(i, "service")},
                   "says where requests go, and `service` does, too; remove one of them");
    }
    if (route.targets.empty()) {
      return Fault({Cat("routes[", i, "]"), Key(i, "service"), Key(i, "services")},
                   "does not say where its requests go; expected `service` or `services`");
    }
    uint64_t sum = 0;
    for (const RouteTarget& target : route.targets) {
      sum += target.weight;
      if (FindService(config_, target.service) != nullptr) continue;
      const std::string key =
          is_one ? Key(i, "service") : Cat(Key(i, "services"), ".", target.service);
      Fault({key}, Cat("there is no service ", target.service, Nearest(target.service)));
    }
    if (sum == 0) {
      Fault({Key(i, "services")}, "gives every service the weight 0; expected 1 or more for one");
    }
  }

  std::string Nearest(const std::string& service) const {
    if (const auto nearest = NearestOf(service, names_))
      return Cat("; did you mean ", *nearest, "?");
    std::string all;
    for (size_t i = 0; i < names_.size() && i < 10; ++i) all += Cat(i == 0 ? "" : ", ", names_[i]);
    return Cat("; expected one of ", all, names_.size() > 10 ? ", …" : "");
  }

  void Hashes(size_t i, const Route& route) {
    if (route.algorithm != Algorithm::kConsistentHash || !route.hash_on.empty()) return;
    Fault({Key(i, "algorithm"), Key(i, "hash-on")},
          "consistent-hash needs `hash-on` beside it, such as `hash-on: client-address`");
  }

  void HeadersOnce(size_t i, const Route& route) {
    for (size_t j = 1; j < route.headers.size(); ++j) {
      if (!SameName(route.headers[j - 1].name, route.headers[j].name)) continue;
      Fault({Cat(Key(i, "headers"), ".", route.headers[j].name)},
            Cat("is the header ", route.headers[j - 1].name,
                ", too, since case means nothing here; remove one of them"));
    }
  }

  void IsReached(size_t i, const Route& route) {
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (!Covers(config_.routes[earlier], route)) continue;
      findings_.warnings.push_back(
          {{Cat("routes[", i, "]")},
           Cat("route ", route.name, " gets no requests: route ", config_.routes[earlier].name,
               " before it takes all of them; put ", route.name, " first, or remove it")});
      return;
    }
  }

  void ServicesAreReached() {
    std::set<std::string_view> reached;
    for (const Route& route : config_.routes) {
      for (const RouteTarget& target : route.targets) reached.insert(target.service);
    }
    for (const Service& service : config_.services) {
      if (reached.contains(service.name)) continue;
      findings_.warnings.push_back(
          {{Cat("services.", service.name), std::string(kFlatService)},
           Cat("no route leads to the service ", service.name, ": it gets no requests")});
    }
  }

  void Fault(std::vector<std::string> keys, std::string message) {
    findings_.faults.push_back({std::move(keys), std::move(message)});
  }

  const Config& config_;
  const Places& places_;
  ConfigFindings& findings_;
  std::vector<std::string_view> names_;
};

}  // namespace

void ValidateRoutes(const Config& config, const Places& places, ConfigFindings& findings) {
  RouteValidation(config, places, findings).Run();
}

}  // namespace gocomet::controlplane
