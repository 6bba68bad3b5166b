#include "controlplane/app/ports.h"

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/cluster/plan.h"

namespace gocomet::controlplane {
namespace {

std::string Join(const std::string& ip, uint32_t port) {
  const auto address = Address::FromIpAndPort(ip, static_cast<uint16_t>(port));
  return address.ok() ? address->ToString() : "";
}

}  // namespace

std::vector<TakenPort> FindTakenPorts(const Config& config, const ProcessSettings& process,
                                      bool workers_need_ports, const std::set<std::string>& ours) {
  std::vector<TakenPort> taken;
  const auto check = [&](const std::string& text, const std::string& wanted_for, const char* key) {
    const auto address = Address::Parse(text);
    if (!address.ok() || ours.contains(text)) return;
    if (!CheckAddressIsFree(*address).ok()) taken.push_back({text, wanted_for, key});
  };
  check(process.grpc_address, "gRPC", "control-plane.grpc");
  check(process.http_address, "HTTP", "control-plane.http");
  for (uint32_t i = 0; i < config.balancers.count; ++i) {
    check(BalancerAddress(config.balancers, i), BalancerName(i), "load-balancer-port");
  }
  for (const Service& service : config.services) {
    for (uint32_t i = 0; workers_need_ports && i < service.replicas; ++i) {
      check(Join(service.bind_address, service.host_port_base + i), Cat(service.name, "-", i),
            "worker-port");
    }
  }
  return taken;
}

}  // namespace gocomet::controlplane
