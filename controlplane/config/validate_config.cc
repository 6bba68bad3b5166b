#include "controlplane/config/validate_config.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"

namespace gocomet::controlplane {
namespace {

constexpr uint32_t kPortMax = 65535;

// Ports that one part of the config listens on.
struct PortRange {
  std::string key;
  std::string what;  // `worker`
  std::string host;
  uint32_t first = 0;
  uint32_t count = 0;  // 0: it listens on none.

  uint32_t last() const { return first + count - 1; }
  bool empty() const { return count == 0; }
  std::string ToString() const {
    return count == 1 ? Cat(what, " port ", first) : Cat(what, " ports ", first, " to ", last());
  }
};

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

PortRange ControlPlanePort(std::string key, std::string what, const std::string& text) {
  const auto address = Address::Parse(text);
  PortRange range{std::move(key), std::move(what), "", 0, 0};
  if (!address.ok() || address->port() == 0) return range;  // 0: a free port is picked at start.
  range.host = address->host();
  range.first = address->port();
  range.count = 1;
  return range;
}

std::vector<PortRange> PortRanges(const ConfigFile& file) {
  const BalancerPool& pool = file.config.balancers;
  const Service& service = OnlyService(file);
  return {{"load-balancer-port", "balancer", CanonicalHost(pool.bind_address), pool.port_base,
           pool.count},
          {"worker-port", "worker", CanonicalHost(service.bind_address), service.host_port_base,
           service.replicas},
          ControlPlanePort("control-plane.grpc", "gRPC", file.process.grpc_address),
          ControlPlanePort("control-plane.http", "HTTP", file.process.http_address)};
}

class Validation {
 public:
  explicit Validation(const ConfigFile& file) : file_(file), ranges_(PortRanges(file)) {}

  ConfigFindings Run() && {
    PortsEnd();
    PortsClash();
    ReplacementPort();
    ControlPlaneIsPrivate("control-plane.grpc", file_.process.grpc_address);
    ControlPlaneIsPrivate("control-plane.http", file_.process.http_address);
    return std::move(findings_);
  }

 private:
  void PortsEnd() {
    for (PortRange& range : ranges_) {
      if (range.empty() || range.last() <= kPortMax) continue;
      const std::string count_key = range.what == "worker" ? "worker" : "pool";
      findings_.faults.push_back(
          {{range.key, count_key},
           Cat(range.first, " leaves room for ", kPortMax - range.first + 1, " ports up to ",
               kPortMax, "; expected room for ", range.count, " (`", count_key, ": ", range.count,
               "`), so at most ", kPortMax - range.count + 1)});
    }
  }

  void PortsClash() {
    for (size_t i = 0; i < ranges_.size(); ++i) {
      for (size_t j = i + 1; j < ranges_.size(); ++j) {
        const PortRange& earlier = ranges_[i];
        const PortRange& later = ranges_[j];
        if (!Overlap(earlier, later)) continue;
        findings_.faults.push_back({{later.key, earlier.key, CountKey(later), CountKey(earlier)},
                                    Cat("the ", later.ToString(), " and the ", earlier.ToString(),
                                        " overlap; expected different ones")});
      }
    }
  }

  static std::string CountKey(const PortRange& range) {
    if (range.key == "worker-port") return "worker";
    return range.key == "load-balancer-port" ? "pool" : range.key;
  }

  // While workers are replaced one more of them runs for a while, on the next port up.
  void ReplacementPort() {
    const PortRange& workers = ranges_[1];
    const uint32_t surge = OnlyService(file_).rollout.max_surge;
    if (workers.empty() || surge == 0 || workers.last() > kPortMax) return;
    PortRange extra = workers;
    extra.what = "spare worker";
    extra.first = workers.last() + 1;
    extra.count = surge;
    std::string clash;
    if (extra.last() > kPortMax) {
      clash = Cat("lies past ", kPortMax);
    } else {
      for (const PortRange& other : ranges_) {
        if (&other != &workers && !Overlap(workers, other) && Overlap(extra, other)) {
          clash = Cat("is taken by the ", other.ToString());
        }
      }
    }
    if (clash.empty()) return;
    findings_.warnings.push_back(
        {{workers.key, "worker"},
         Cat("port ", extra.first,
             ", which the successor of a worker uses while workers are "
             "replaced, ",
             clash, "; replacing workers will wait until a lower port is free")});
  }

  void ControlPlaneIsPrivate(const std::string& key, const std::string& text) {
    const auto address = Address::Parse(text);
    if (!address.ok() || address->is_loopback() || file_.process.insecure) return;
    findings_.faults.push_back(
        {{key, "control-plane.insecure"},
         Cat(text,
             " can be reached from other machines, and everybody who reaches it controls "
             "GoComet; expected a loopback address such as 127.0.0.1:",
             address->port(), ", or `insecure: true` beside it")});
  }

  const ConfigFile& file_;
  std::vector<PortRange> ranges_;
  ConfigFindings findings_;
};

}  // namespace

ConfigFindings ValidateConfig(const ConfigFile& file) { return Validation(file).Run(); }

}  // namespace gocomet::controlplane
