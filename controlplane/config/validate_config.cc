#include "controlplane/config/validate_config.h"

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"

namespace gocomet::controlplane {
namespace {

void AddressIsPrivate(const ProcessSettings& process, const std::string& key,
                      const std::string& text, ConfigFindings& findings) {
  const auto address = Address::Parse(text);
  if (!address.ok() || address->is_loopback() || process.insecure || process.tls.enabled()) return;
  findings.faults.push_back(
      {{key, "control-plane.insecure"},
       Cat(text,
           " can be reached from other machines; expected `tls:` with `certificate` and `key` "
           "beside it, a loopback address such as 127.0.0.1:",
           address->port(),
           ", or `insecure: true`, with which everybody who reaches it controls GoComet")});
}

void TlsIsWhole(const ProcessSettings& process, ConfigFindings& findings) {
  const TlsFiles& tls = process.tls;
  const auto needs = [&](const std::string& key, const std::string& other) {
    findings.faults.push_back({{Cat("control-plane.tls.", key)},
                               Cat("is of no use without `", other, "`; expected both")});
  };
  if (!tls.certificate.empty() && tls.key.empty()) needs("certificate", "key");
  if (!tls.key.empty() && tls.certificate.empty()) needs("key", "certificate");
  if (!tls.client_authority.empty() && tls.certificate.empty()) needs("client-ca", "certificate");
  if (process.insecure && tls.enabled()) {
    findings.faults.push_back(
        {{"control-plane.insecure", "control-plane.tls.certificate"},
         "`insecure: true` asks nobody who they are, and `tls` is there to ask; expected one of "
         "them"});
  }
}

void ControlPlaneIsPrivate(const ProcessSettings& process, ConfigFindings& findings) {
  AddressIsPrivate(process, "control-plane.grpc", process.grpc_address, findings);
  AddressIsPrivate(process, "control-plane.http", process.http_address, findings);
  TlsIsWhole(process, findings);
}

}  // namespace

ConfigFindings ValidateConfig(const ConfigFile& file, const Places& places) {
  ConfigFindings findings;
  ValidatePorts(file, findings);
  ControlPlaneIsPrivate(file.process, findings);
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
