#include "controlplane/runtime/docker_messages.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_errors.h"
#include "controlplane/runtime/docker_labels.h"
#include "controlplane/runtime/docker_time.h"
#include "controlplane/runtime/json_fields.h"
#include "controlplane/runtime/worker_address.h"

namespace gocomet::controlplane {
namespace {

constexpr std::pair<int, int> kOldestApi{1, 24};
constexpr std::pair<int, int> kNewestApi{1, 41};

constexpr size_t kShortIdBytes = 12;
constexpr int kSignalBase = 128;  // A shell's way of telling signals as exit codes.

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::pair<int, int>> ParseApi(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = ParseNumber<int>(text.substr(0, dot));
  const auto minor = ParseNumber<int>(text.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair{*major, *minor};
}

template <typename Number>
absl::StatusOr<Number> NumberInLabel(const Json& labels, const char* name) {
  GOCOMET_ASSIGN_OR_RETURN(const std::string text, TextOf(labels, name));
  if (const auto number = ParseNumber<Number>(text)) return *number;
  return absl::InvalidArgumentError(Cat("label ", name, " holds '", text, "', not a number"));
}

Json LabelFilter(const std::string& cluster, const std::string& instance) {
  Json labels = {Cat(kClusterLabel, "=", cluster)};
  if (!instance.empty()) labels.push_back(Cat(kInstanceLabel, "=", instance));
  return labels;
}

absl::StatusOr<RuntimeWorker::Exit> ParseExit(const Json& state, bool never_started) {
  RuntimeWorker::Exit exit;
  GOCOMET_ASSIGN_OR_RETURN(exit.code, NumberOf<int>(state, "ExitCode"));
  GOCOMET_ASSIGN_OR_RETURN(exit.out_of_memory, FlagOf(state, "OOMKilled"));
  GOCOMET_ASSIGN_OR_RETURN(exit.error, TextOf(state, "Error"));
  GOCOMET_ASSIGN_OR_RETURN(const std::string finished, TextOf(state, "FinishedAt"));
  exit.time = ParseDockerTime(finished).value_or(WallTime{});
  if (never_started) {
    exit.code = -1;
    if (exit.error.empty()) exit.error = "the container was made and never started";
  } else if (exit.code > kSignalBase && exit.code <= kSignalBase + 64) {
    exit.signal = std::exchange(exit.code, -1) - kSignalBase;
  }
  return exit;
}

// On the engine's default network they stand apart, on others with their names.
absl::StatusOr<std::string> OnItsNetwork(const Json& network_settings, const char* name) {
  GOCOMET_ASSIGN_OR_RETURN(std::string address, TextOf(network_settings, name));
  if (!address.empty()) return address;
  const Json& networks = Member(network_settings, "Networks");
  if (!networks.is_object()) return address;
  for (const Json& network : networks) {
    GOCOMET_ASSIGN_OR_RETURN(address, TextOf(network, name));
    if (!address.empty()) break;
  }
  return address;
}

// There is one published port: where it is inside, and the address outside.
absl::StatusOr<std::string> ReadPublishedPort(const Json& host_config, Container& container) {
  const Json& ports = Member(host_config, "PortBindings");
  container.port_inside = kDemoPort;
  if (!ports.is_object() || ports.empty()) return "0.0.0.0";
  const std::string& inside = ports.begin().key();  // `8080/tcp`
  container.port_inside =
      ParseNumber<uint16_t>(std::string_view(inside).substr(0, inside.find('/')))
          .value_or(kDemoPort);
  const Json& bindings = ports.front();
  if (!bindings.is_array() || bindings.empty()) return "0.0.0.0";
  GOCOMET_ASSIGN_OR_RETURN(const std::string ip, TextOf(bindings.front(), "HostIp"));
  return ip.empty() ? "0.0.0.0" : ip;
}

absl::Status ReadLabels(const Json& labels, Container& container) {
  RuntimeWorker& worker = container.worker;
  GOCOMET_ASSIGN_OR_RETURN(container.cluster, TextOf(labels, kClusterLabel));
  if (container.cluster.empty()) return absl::OkStatus();
  GOCOMET_ASSIGN_OR_RETURN(worker.service, TextOf(labels, kServiceLabel));
  GOCOMET_ASSIGN_OR_RETURN(worker.instance, TextOf(labels, kInstanceLabel));
  GOCOMET_ASSIGN_OR_RETURN(worker.template_hash, TextOf(labels, kTemplateLabel));
  GOCOMET_ASSIGN_OR_RETURN(const std::string workload, TextOf(labels, kWorkloadLabel));
  container.is_demo = workload != kImageWorkload;
  GOCOMET_ASSIGN_OR_RETURN(worker.ordinal, NumberInLabel<uint32_t>(labels, kOrdinalLabel));
  GOCOMET_ASSIGN_OR_RETURN(worker.port, NumberInLabel<uint16_t>(labels, kPortLabel));
  if (!IsInstance(worker.instance)) {
    return absl::InvalidArgumentError(
        Cat("label ", kInstanceLabel, " holds '", worker.instance, "', not 12 hex digits"));
  }
  return absl::OkStatus();
}

// When it was started last, in microseconds since 1970; 0: never.
uint64_t IncarnationOf(std::string_view started_at) {
  const WallTime started = ParseDockerTime(started_at).value_or(WallTime{});
  const auto since =
      std::chrono::duration_cast<std::chrono::microseconds>(started.time_since_epoch());
  return since.count() > 0 ? static_cast<uint64_t>(since.count()) : 0;
}

bool IsContainerId(std::string_view id) {
  return id.size() >= kShortIdBytes && IsInstance(id.substr(0, kShortIdBytes));
}

}  // namespace

absl::StatusOr<EngineVersion> ParseEngineVersion(std::string_view text) {
  GOCOMET_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  EngineVersion version;
  GOCOMET_ASSIGN_OR_RETURN(version.name, TextOf(json, "Version"));
  GOCOMET_ASSIGN_OR_RETURN(version.api, TextOf(json, "ApiVersion"));
  GOCOMET_ASSIGN_OR_RETURN(version.api_min, TextOf(json, "MinAPIVersion"));
  if (!ParseApi(version.api)) {
    return absl::InvalidArgumentError(
        Cat("field ApiVersion holds '", version.api, "', not a version such as 1.41"));
  }
  return version;
}

absl::StatusOr<std::string> NegotiateApiVersion(const EngineVersion& engine) {
  const auto newest = ParseApi(engine.api).value_or(kNewestApi);
  const auto oldest = ParseApi(engine.api_min).value_or(kOldestApi);
  const auto chosen = std::min(newest, kNewestApi);
  if (chosen >= kOldestApi && chosen >= oldest) return Cat(chosen.first, ".", chosen.second);
  return absl::FailedPreconditionError(
      Cat("Docker ", engine.name, " speaks versions ", engine.api_min, " to ", engine.api,
          " of its API, and GoComet 1.24 to 1.41; use another version of Docker"));
}

absl::Status ParseBuildOutput(std::string_view output) {
  constexpr size_t kLinesShown = 10;
  std::deque<std::string> said;
  while (!output.empty()) {
    const size_t end = output.find('\n');
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(output.size(), line.size() + 1));
    if (line.find_first_not_of(" \r") == std::string_view::npos) continue;
    GOCOMET_ASSIGN_OR_RETURN(const Json json, ParseJson(line));
    GOCOMET_ASSIGN_OR_RETURN(const std::string words, TextOf(json, "stream"));
    GOCOMET_ASSIGN_OR_RETURN(const std::string error, TextOf(json, "error"));
    if (!words.empty()) said.push_back(words);
    if (said.size() > kLinesShown) said.pop_front();
    if (error.empty()) continue;
    std::string last_words;
    for (const std::string& one : said) last_words += one;
    const absl::Status failed = ToStatusInStream(error, "build the worker image");
    return absl::Status(failed.code(),
                        Cat(MessageOf(failed), "\nThe build said last:\n", last_words));
  }
  return absl::OkStatus();
}

ImageReference SplitImage(const std::string& image) {
  const size_t at = image.find('@');
  const std::string named = image.substr(0, at);
  // A colon before the last slash is that of a registry's port.
  const size_t colon = named.rfind(':');
  const size_t slash = named.rfind('/');
  const bool tagged = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  const std::string name = tagged ? named.substr(0, colon) : named;
  if (at != std::string::npos) return {name, image.substr(at + 1)};  // It says more than a tag.
  // Without a tag the engine would pull all there are.
  return {name, tagged ? named.substr(colon + 1) : "latest"};
}

void PullOutput::Add(std::string_view bytes) {
  constexpr size_t kLineBytesMax = 64 << 10;
  rest_.append(bytes);
  size_t begin = 0;
  for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
    TakeLine(std::string_view(rest_).substr(begin, end - begin));
    begin = end + 1;
  }
  rest_.erase(0, begin);
  if (rest_.size() > kLineBytesMax) rest_.clear();
}

// Words of moby's distribution/ and of its clients.
void PullOutput::TakeLine(std::string_view line) {
  constexpr size_t kLayersMax = 1000;
  const auto json = ParseJson(line);
  if (!json.ok()) return;
  if (const auto error = TextOf(*json, "error"); error.ok() && !error->empty()) error_ = *error;
  const std::string status = TextOf(*json, "status").value_or("");
  const std::string id = TextOf(*json, "id").value_or("");
  if (status.empty()) return;
  last_ = id.empty() ? status : Cat(id, ": ", status);
  if (status == "Pulling fs layer" || status == "Already exists") {
    if (layers_.size() < kLayersMax) layers_.try_emplace(id);
  }
  const auto layer = layers_.find(id);
  if (layer == layers_.end()) return;
  if (status == "Downloading") {
    const auto loaded = NumberOf<uint64_t>(Member(*json, "progressDetail"), "current");
    if (loaded.ok()) layer->second.bytes_loaded = *loaded;
  }
  layer->second.there = status == "Already exists" || status == "Pull complete";
}

std::string PullOutput::Progress() const {
  constexpr uint64_t kMegabyte = 1'000'000;
  if (layers_.empty()) return last_;
  size_t there = 0;
  uint64_t loaded = 0;
  for (const auto& [id, layer] : layers_) {
    there += layer.there ? 1 : 0;
    loaded += layer.bytes_loaded;
  }
  return Cat(there, " of ", layers_.size(), " layers, ", loaded / kMegabyte, " MB loaded");
}

std::string ClusterFilter(const std::string& cluster, const std::string& instance) {
  return ToText({{"label", LabelFilter(cluster, instance)}});
}

std::string EventFilter(const std::string& cluster) {
  return ToText({{"type", {"container"}},
                 {"event", {"start", "die", "destroy", "pause", "unpause", "oom"}},
                 {"label", LabelFilter(cluster, "")}});
}

absl::StatusOr<std::vector<std::string>> ParseContainerIds(std::string_view text) {
  GOCOMET_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  if (!json.is_array()) return absl::InvalidArgumentError("not a list of containers");
  std::vector<std::string> ids;
  for (const Json& container : json) {
    GOCOMET_ASSIGN_OR_RETURN(std::string id, TextOf(container, "Id"));
    if (!IsContainerId(id)) return absl::InvalidArgumentError("field Id holds no container id");
    ids.push_back(std::move(id));
  }
  return ids;
}

absl::StatusOr<std::string> ParseCreatedId(std::string_view text) {
  GOCOMET_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  GOCOMET_ASSIGN_OR_RETURN(std::string id, TextOf(json, "Id"));
  if (!IsContainerId(id)) return absl::InvalidArgumentError("field Id holds no container id");
  return id;
}

absl::StatusOr<Container> ParseContainer(std::string_view text) {
  GOCOMET_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  const Json& state = Member(json, "State");
  const Json& config = Member(json, "Config");
  Container container;
  RuntimeWorker& worker = container.worker;
  GOCOMET_ASSIGN_OR_RETURN(container.id, TextOf(json, "Id"));
  if (!IsContainerId(container.id) || !state.is_object() || !config.is_object()) {
    return absl::InvalidArgumentError("not the description of a container");
  }
  GOCOMET_RETURN_IF_ERROR(ReadLabels(Member(config, "Labels"), container));
  const Json& network = Member(json, "NetworkSettings");
  GOCOMET_ASSIGN_OR_RETURN(container.ip_address, OnItsNetwork(network, "IPAddress"));
  GOCOMET_ASSIGN_OR_RETURN(container.gateway, OnItsNetwork(network, "Gateway"));
  GOCOMET_ASSIGN_OR_RETURN(const std::string bound,
                           ReadPublishedPort(Member(json, "HostConfig"), container));
  GOCOMET_ASSIGN_OR_RETURN(const std::string started, TextOf(state, "StartedAt"));
  GOCOMET_ASSIGN_OR_RETURN(container.stop_signal, TextOf(config, "StopSignal"));
  GOCOMET_ASSIGN_OR_RETURN(const std::string created, TextOf(json, "Created"));
  GOCOMET_ASSIGN_OR_RETURN(const std::string status, TextOf(state, "Status"));
  GOCOMET_ASSIGN_OR_RETURN(worker.image, TextOf(config, "Image"));
  GOCOMET_ASSIGN_OR_RETURN(worker.pid, NumberOf<int64_t>(state, "Pid"));
  GOCOMET_ASSIGN_OR_RETURN(worker.running, FlagOf(state, "Running"));
  container.never_started = status == "created";
  if (status == "paused")
    worker.remark = Cat("paused by hand: docker unpause ", container.id.substr(0, kShortIdBytes));
  worker.handle = container.id;
  worker.id = container.id.substr(0, kShortIdBytes);
  worker.address = ReachableAddress(bound, worker.port);
  if (!container.is_demo) worker.incarnation = IncarnationOf(started);
  worker.created = ParseDockerTime(created).value_or(WallTime{});
  if (!worker.running) {
    GOCOMET_ASSIGN_OR_RETURN(worker.exit, ParseExit(state, container.never_started));
  }
  return container;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

}  // namespace gocomet::controlplane
