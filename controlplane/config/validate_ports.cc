#include <string_view>
#include <utility>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/validate_config.h"

namespace gocomet::controlplane {
namespace {

constexpr uint32_t kPortMax = 65535;

// Ports that one part of the config listens on.
struct PortRange {
  std::vector<std::string> keys;        // Of the first port.
  std::vector<std::string> count_keys;  // Of how many there are.
  std::string count_name;               // `replicas`
  std::string what;                     // `worker`
  std::string host;
  uint32_t first = 0;
  uint32_t count = 0;  // 0: it listens on none.
  const Service* service = nullptr;

  uint32_t last() const { return first + count - 1; }
  bool empty() const { return count == 0; }
  std::string ToString() const {
    return count == 1 ? Cat(what, " port ", first) : Cat(what, " ports ", first, " to ", last());
  }
};

std::vector<std::string> Join(std::vector<std::string> keys, const std::vector<std::string>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

bool IsWildcard(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool SameHost(const PortRange& a, const PortRange& b) {
  return a.host == b.host || IsWildcard(a.host) || IsWildcard(b.host);
}

bool Overlap(const PortRange& a, const PortRange& b) {
  return !a.empty() && !b.empty() && SameHost(a, b) && a.first <= b.last() && b.first <= a.last();
}

std::string CanonicalHost(const std::string& ip) {
  const auto address = Address::FromIpAndPort(ip, 0);
  return address.ok() ? address->host() : ip;
}

PortRange ControlPlanePort(const std::string& key, std::string what, const std::string& text) {
  const auto address = Address::Parse(text);
  PortRange range{{key}, {key}, "", std::move(what), "", 0, 0};
  if (!address.ok() || address->port() == 0) return range;  // 0: a free port is picked at start.
  range.host = address->host();
  range.first = address->port();
  range.count = 1;
  return range;
}

PortRange ServicePorts(const Service& service) {
  const bool is_flat = service.name == kFlatService;
  PortRange range;
  range.keys = ServiceKeyPaths(service, "port", "worker-port");
  range.count_keys = ServiceKeyPaths(service, "replicas", "worker");
  range.count_name = is_flat ? "worker" : "replicas";
  range.what = service.name;
  range.host = CanonicalHost(service.bind_address);
  range.first = service.host_port_base;
  range.count = service.workload.endpoints.empty() ? service.replicas : 0;
  range.service = &service;
  return range;
}

std::vector<PortRange> PortRanges(const ConfigFile& file) {
  const BalancerPool& pool = file.config.balancers;
  std::vector<PortRange> ranges = {{{"load-balancer-port"},
                                    {"pool"},
                                    "pool",
                                    "balancer",
                                    CanonicalHost(pool.bind_address),
                                    pool.port_base,
                                    pool.count}};
  for (const Service& service : file.config.services) ranges.push_back(ServicePorts(service));
  ranges.push_back(ControlPlanePort("control-plane.grpc", "gRPC", file.process.grpc_address));
  ranges.push_back(ControlPlanePort("control-plane.http", "HTTP", file.process.http_address));
  return ranges;
}

class PortValidation {
 public:
  PortValidation(const ConfigFile& file, ConfigFindings& findings)
      : ranges_(PortRanges(file)), findings_(findings) {}

  void Run() {
    PortsEnd();
    PortsClash();
    for (const PortRange& range : ranges_) {
      if (range.service != nullptr) ReplacementPorts(range);
    }
  }

 private:
  void PortsEnd() {
    for (const PortRange& range : ranges_) {
      if (range.empty() || range.last() <= kPortMax) continue;
      findings_.faults.push_back(
          {Join(range.keys, range.count_keys),
           Cat(range.first, " leaves room for ", kPortMax - range.first + 1, " ports up to ",
               kPortMax, "; expected room for ", range.count, " (`", range.count_name, ": ",
               range.count, "`), so at most ", kPortMax - range.count + 1)});
    }
  }

  // Each range is told of the first one that it runs into.
  void PortsClash() {
    for (size_t later = 1; later < ranges_.size(); ++later) {
      for (size_t earlier = 0; earlier < later; ++earlier) {
        if (!Overlap(ranges_[earlier], ranges_[later])) continue;
        const PortRange& first = ranges_[earlier];
        const PortRange& second = ranges_[later];
        findings_.faults.push_back(
            {Join(Join(second.keys, first.keys), Join(second.count_keys, first.count_keys)),
             Cat("the ", second.ToString(), " and the ", first.ToString(),
                 " overlap; expected different ones")});
        if (second.service != nullptr) break;
      }
    }
  }

  // While workers are replaced, more of them run for a while, on the next ports up.
  void ReplacementPorts(const PortRange& workers) {
    const uint32_t surge = workers.service->rollout.max_surge;
    if (workers.empty() || surge == 0 || workers.last() > kPortMax) return;
    PortRange extra = workers;
    extra.first = workers.last() + 1;
    extra.count = surge;
    if (extra.last() > kPortMax) {
      return Warn(workers, extra.first, Cat("lies past ", kPortMax));
    }
    for (const PortRange& other : ranges_) {
      if (&other == &workers || Overlap(workers, other) || !Overlap(extra, other)) continue;
      if (other.service == nullptr) {
        return Warn(workers, extra.first, Cat("is taken by the ", other.ToString()));
      }
      findings_.faults.push_back(
          {Join(Join(other.keys, workers.keys), Join(other.count_keys, workers.count_keys)),
           Cat("the ", other.ToString(), " and port ", extra.first, ", which the successor of a ",
               workers.what, " worker uses while workers are replaced, overlap; expected room for ",
               surge, " more above the ", workers.ToString())});
      return;
    }
  }

  void Warn(const PortRange& workers, uint32_t port, const std::string& clash) {
    findings_.warnings.push_back(
        {Join(workers.keys, workers.count_keys),
         Cat("port ", port, ", which the successor of a worker uses while workers are replaced, ",
             clash, "; replacing workers will wait until a lower port is free")});
  }

  const std::vector<PortRange> ranges_;
  ConfigFindings& findings_;
};

}  // namespace

void ValidatePorts(const ConfigFile& file, ConfigFindings& findings) {
  PortValidation(file, findings).Run();
}

}  // namespace gocomet::controlplane
