#include "controlplane/config/config_keys.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/yaml_text.h"

namespace gocomet::controlplane {
namespace {

using Kind = YamlNode::Kind;
using Part = ConfigKey::Part;

constexpr size_t kPathBytesMax = 1024;

// Digits only: no sign, no leading zero, no base, no fraction.
std::optional<uint64_t> DecimalNumber(const YamlNode& node) {
  const std::string& text = node.text;
  if (node.kind != Kind::kPlain || text.empty() || (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// `field` gives a reference to the number (or the milliseconds) within a ConfigFile.
template <typename Field>
ConfigKey Number(std::string path, Part part, uint64_t min, uint64_t max, std::string_view unit,
                 Field field) {
  using Value = std::remove_reference_t<decltype(field(std::declval<ConfigFile&>()))>;
  ConfigKey key;
  key.path = std::move(path);
  key.part = part;
  key.expected =
      Cat("a whole number", unit.empty() ? "" : " of ", unit, " from ", min, " to ", max);
  key.read = [min, max, field](const YamlNode& scalar, ConfigFile& file) {
    const auto number = DecimalNumber(scalar);
    if (!number || *number < min || *number > max) return false;
    field(file) = static_cast<Value>(*number);
    return true;
  };
  key.write = [field](const ConfigFile& file) {
    if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) {
      return std::to_string(field(file).count());
    } else {
      return std::to_string(field(file));
    }
  };
  return key;
}

// A text that `accepts` likes.
template <typename Accepts, typename Field>
ConfigKey Text(std::string path, Part part, std::string expected, Accepts accepts, Field field) {
  ConfigKey key;
  key.path = std::move(path);
  key.part = part;
  key.expected = std::move(expected);
  key.read = [accepts, field](const YamlNode& scalar, ConfigFile& file) {
    const bool is_text = scalar.kind == Kind::kQuoted ||
                         (scalar.kind == Kind::kPlain && !LooksLikeOtherType(scalar.text));
    if (!is_text || !accepts(scalar.text)) return false;
    field(file) = scalar.text;
    return true;
  };
  key.write = [field](const ConfigFile& file) { return YamlText(field(file)); };
  return key;
}

template <typename Field>
ConfigKey Switch(std::string path, Part part, Field field) {
  ConfigKey key;
  key.path = std::move(path);
  key.part = part;
  key.expected = "true or false";
  key.read = [field](const YamlNode& scalar, ConfigFile& file) {
    if (scalar.kind != Kind::kPlain || (scalar.text != "true" && scalar.text != "false")) {
      return false;
    }
    field(file) = scalar.text == "true";
    return true;
  };
  key.write = [field](const ConfigFile& file) { return field(file) ? "true" : "false"; };
  return key;
}

ConfigKey RuntimeKey() {
  constexpr RuntimeKind kKinds[] = {RuntimeKind::kAuto, RuntimeKind::kDocker, RuntimeKind::kProcess,
                                    RuntimeKind::kExternal};
  ConfigKey key;
  key.path = "runtime";
  key.expected = "auto, docker, process or external";
  key.read = [kKinds](const YamlNode& scalar, ConfigFile& file) {
    const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](RuntimeKind kind) {
      return scalar.text == ToString(kind);
    });
    if (found == std::end(kKinds)) return false;
    file.config.runtime = *found;
    return true;
  };
  key.write = [](const ConfigFile& file) { return ToString(file.config.runtime); };
  return key;
}

bool IsPath(const std::string& text) {
  return !text.empty() && text.size() <= kPathBytesMax &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
}
bool IsFilePath(const std::string& text) { return IsPath(text) && text.back() != '/'; }

bool IsIp(const std::string& text) { return Address::FromIpAndPort(text, 0).ok(); }

bool IsIpAndPort(const std::string& text) {
  const auto address = Address::Parse(text);
  return address.ok() && !address->is_unix();
}

std::vector<ConfigKey> MakeKeys() {
  const std::string port_and_address =
      "an address and port such as 127.0.0.1:7070 or \"[::1]:7070\"";
  const std::string ip = "an IP address such as 127.0.0.1 or \"::1\"";
  std::vector<ConfigKey> keys = {
      Number(
          "worker", Part::kService, 0, kWorkersMax, "",
          [](auto& f) -> auto& { return OnlyService(f).replicas; }),
      Number(
          "pool", Part::kConfig, 0, kBalancersMax, "",
          [](auto& f) -> auto& { return f.config.balancers.count; }),
      Text(
          "stats-dir", Part::kProcess, "the path of a database file", IsFilePath,
          [](auto& f) -> auto& { return f.process.database_file; }),
      Number(
          "avg-delay", Part::kService, 0, static_cast<uint64_t>(kAverageDelayMax.count()),
          "milliseconds", [](auto& f) -> auto& { return OnlyService(f).demo.average_delay; }),
      Number(
          "failure", Part::kService, 0, 100, "percent",
          [](auto& f) -> auto& { return OnlyService(f).demo.failure_percent; }),
      Number(
          "load-balancer-port", Part::kConfig, 1, 65535, "",
          [](auto& f) -> auto& { return f.config.balancers.port_base; }),
      Number(
          "worker-port", Part::kService, 1, 65535, "",
          [](auto& f) -> auto& { return OnlyService(f).host_port_base; }),
  };
  for (ConfigKey& key : keys) key.is_main = true;

  keys.push_back(RuntimeKey());
  keys.push_back(Text(
      "load-balancer-bind", Part::kConfig, ip, IsIp,
      [](auto& f) -> auto& { return f.config.balancers.bind_address; }));
  keys.push_back(Text(
      "worker-bind", Part::kService, ip, IsIp,
      [](auto& f) -> auto& { return OnlyService(f).bind_address; }));
  keys.push_back(Number(
      "load-balancer-threads", Part::kConfig, 1, kBalancerThreadsMax, "",
      [](auto& f) -> auto& { return f.config.balancers.threads; }));
  keys.push_back(Text(
      "state-dir", Part::kProcess, "the path of a directory", IsPath,
      [](auto& f) -> auto& { return f.process.state_directory; }));
  keys.push_back(Text(
      "control-plane.grpc", Part::kProcess, port_and_address, IsIpAndPort,
      [](auto& f) -> auto& { return f.process.grpc_address; }));
  keys.push_back(Text(
      "control-plane.http", Part::kProcess, port_and_address, IsIpAndPort,
      [](auto& f) -> auto& { return f.process.http_address; }));
  keys.push_back(Switch(
      "control-plane.insecure", Part::kProcess,
      [](auto& f) -> auto& { return f.process.insecure; }));
  return keys;
}

}  // namespace

std::span<const ConfigKey> ConfigKeys() {
  static const std::vector<ConfigKey> keys = MakeKeys();
  return keys;
}

const ConfigKey* FindConfigKey(std::string_view path) {
  const auto keys = ConfigKeys();
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& key) { return key.path == path; });
  return found != keys.end() ? &*found : nullptr;
}

Service& OnlyService(ConfigFile& file) {
  if (file.config.services.empty()) file.config.services.emplace_back();
  return file.config.services.front();
}

const Service& OnlyService(const ConfigFile& file) {
  static const Service none{.replicas = 0};
  return file.config.services.empty() ? none : file.config.services.front();
}

}  // namespace gocomet::controlplane
