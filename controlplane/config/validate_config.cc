#include "controlplane/config/validate_config.h"

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"

namespace gocomet::controlplane {
namespace {

void ControlPlaneIsPrivate(const ConfigFile& file, const std::string& key, const std::string& text,
                           ConfigFindings& findings) {
  const auto address = Address::Parse(text);
  if (!address.ok() || address->is_loopback() || file.process.insecure) return;
  findings.faults.push_back(
      {{key, "control-plane.insecure"},
       Cat(text,
           " can be reached from other machines, and everybody who reaches it controls "
           "GoComet; expected a loopback address such as 127.0.0.1:",
           address->port(), ", or `insecure: true` beside it")});
}

}  // namespace

ConfigFindings ValidateConfig(const ConfigFile& file, const Places& places) {
  ConfigFindings findings;
  ValidatePorts(file, findings);
  ControlPlaneIsPrivate(file, "control-plane.grpc", file.process.grpc_address, findings);
  ControlPlaneIsPrivate(file, "control-plane.http", file.process.http_address, findings);
  ValidateServices(file.config, places, findings);
  ValidateRoutes(file.config, places, findings);
  return findings;
}

std::vector<std::string> ServiceKeyPaths(const Service& service, const std::string& key,
                                         const std::string& flat) {
  std::string path = Cat("services.", service.name, ".", key);
  if (service.name != kFlatService || flat.empty()) return {std::move(path)};
  return {flat, std::move(path)};
}

}  // namespace gocomet::controlplane
