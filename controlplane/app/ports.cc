#include "controlplane/app/ports.h"

#include <algorithm>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/cluster/plan.h"

namespace gocomet::controlplane {
namespace {

std::string Join(const std::string& ip, uint32_t port) {
  const auto address = Address::FromIpAndPort(ip, static_cast<uint16_t>(port));
  return address.ok() ? address->ToString() : "";
}

bool IsWildcard(const Address& address) {
  return address.host() == "0.0.0.0" || address.host() == "::";
}

// Whether one of us has it, or another address of its port that rules it out for strangers.
bool IsOurs(const Address& wanted, const std::set<std::string>& ours) {
  if (ours.contains(wanted.ToString())) return true;
  return std::any_of(ours.begin(), ours.end(), [&wanted](const std::string& text) {
    const auto held = Address::Parse(text);
    return held.ok() && !held->is_unix() && held->port() == wanted.port() &&
           (IsWildcard(*held) || IsWildcard(wanted));
  });
}

std::string Describe(const absl::Status& status, const std::string& port_key,
                     const std::string& ip_key) {
  if (absl::IsAlreadyExists(status)) {
    return Cat("is in use by another program: stop that one, or change `", port_key, "`");
  }
  if (absl::IsPermissionDenied(status)) {
    return Cat("is not for this user, as ports below 1024 seldom are: change `", port_key, "`");
  }
  if (absl::IsNotFound(status)) {
    return Cat("cannot be had, since this machine has no such address: change `", ip_key, "`");
  }
  return Cat("cannot be had (", MessageOf(status), "): change `", port_key, "`");
}

}  // namespace

std::vector<TakenPort> FindTakenPorts(const Config& config, const ProcessSettings& process,
                                      bool workers_need_ports, const std::set<std::string>& ours) {
  std::vector<TakenPort> taken;
  const auto check = [&](const std::string& text, const std::string& wanted_for,
                         const std::string& port_key, const std::string& ip_key) {
    const auto address = Address::Parse(text);
    if (!address.ok() || IsOurs(*address, ours)) return;
    const absl::Status free = CheckAddressIsFree(*address);
    if (free.ok()) return;
    taken.push_back({text, wanted_for, Describe(free, port_key, ip_key)});
  };
  check(process.grpc_address, "gRPC", "control-plane.grpc", "control-plane.grpc");
  check(process.http_address, "HTTP", "control-plane.http", "control-plane.http");
  for (uint32_t i = 0; i < config.balancers.count; ++i) {
    check(BalancerAddress(config.balancers, i), BalancerName(i), "load-balancer-port",
          "load-balancer-bind");
  }
  for (const Service& service : config.services) {
    const bool needs_ports = workers_need_ports && service.workload.endpoints.empty();
    for (uint32_t i = 0; needs_ports && i < service.replicas; ++i) {
      check(Join(service.bind_address, service.host_port_base + i), Cat(service.name, "-", i),
            "worker-port", "worker-bind");
    }
  }
  return taken;
}

}  // namespace gocomet::controlplane
