#include "controlplane/runtime/container_body.h"

#include <algorithm>

#include "common/base/text.h"
#include "controlplane/runtime/docker_labels.h"
#include "controlplane/runtime/json_fields.h"
#include "controlplane/runtime/workload_environment.h"

namespace gocomet::controlplane {
namespace {

constexpr char kTemporaryDirectory[] = "/tmp";
constexpr char kTemporaryOptions[] = "rw,noexec,nosuid,nodev,size=64m,mode=1777";
constexpr uint64_t kNanosOfMillicpu = 1'000'000;

Json Mount(const std::string& source, const std::string& target, bool read_only) {
  return {{"Type", "bind"}, {"Source", source}, {"Target", target}, {"ReadOnly", read_only}};
}

Json MountsOf(const ContainerSpec& spec) {
  if (spec.launch.workload.is_demo()) {
    return Json::array({Mount(spec.worker_directory, kWorkerDirectoryInside, false),
                        Mount(spec.report_directory, kReportDirectoryInside, true)});
  }
  Json mounts = Json::array();
  for (const Volume& volume : spec.volumes) {
    mounts.push_back(Mount(volume.source, volume.target, volume.read_only));
  }
  return mounts;
}

bool NeedsTemporaryDirectory(const ContainerSpec& spec) {
  const Workload& workload = spec.launch.workload;
  return !workload.is_demo() && workload.read_only_root &&
         std::none_of(spec.volumes.begin(), spec.volumes.end(),
                      [](const Volume& v) { return v.target == kTemporaryDirectory; });
}

void SetLimits(const Resources& resources, Json& config) {
  if (resources.memory_bytes != 0) {
    config["Memory"] = resources.memory_bytes;
    config["MemorySwap"] = resources.memory_bytes;  // Both together: no swap.
  }
  if (resources.millicpus != 0) config["NanoCpus"] = resources.millicpus * kNanosOfMillicpu;
  if (resources.pids != 0) config["PidsLimit"] = resources.pids;
}

std::string PortInside(const Workload& workload) {
  return Cat(workload.is_demo() ? kDemoPort : workload.container_port, "/tcp");
}

Json HostConfig(const ContainerSpec& spec) {
  const Workload& workload = spec.launch.workload;
  const Json binding = {{"HostIp", spec.launch.bind_address}, {"HostPort", Cat(spec.launch.port)}};
  Json config;
  config["PortBindings"][PortInside(workload)] = Json::array({binding});
  config["CapDrop"] = {"ALL"};
  if (!workload.capabilities.empty()) config["CapAdd"] = workload.capabilities;
  config["SecurityOpt"] = {"no-new-privileges"};
  config["ReadonlyRootfs"] = workload.read_only_root;
  if (NeedsTemporaryDirectory(spec)) config["Tmpfs"][kTemporaryDirectory] = kTemporaryOptions;
  SetLimits(workload.resources, config);
  config["RestartPolicy"] = {{"Name", "no"}};
  config["LogConfig"] = {{"Type", "json-file"},
                         {"Config", {{"max-size", "10m"}, {"max-file", "3"}}}};
  config["Mounts"] = MountsOf(spec);
  return config;
}

Json DemoCommand(const WorkerLaunch& launch) {
  return {"--port",          Cat(kDemoPort),
          "--bind",          "0.0.0.0",
          "--unix-socket",   Cat(kWorkerDirectoryInside, "/http.sock"),
          "--instance",      launch.instance,
          "--control-plane", Cat("unix:", kReportDirectoryInside, "/report.sock"),
          "--token-file",    Cat(kWorkerDirectoryInside, "/token"),
          "--avg-delay",     Cat(launch.demo.average_delay.count()),
          "--failure",       Cat(launch.demo.failure_percent)};
}

void SetProgram(const ContainerSpec& spec, Json& body) {
  const Workload& workload = spec.launch.workload;
  if (workload.is_demo()) {
    body["Cmd"] = DemoCommand(spec.launch);
    body["User"] = spec.user;
    return;
  }
  if (!workload.command.empty()) {
    Json words = Json::array();
    for (const std::string& word : workload.command) {
      words.push_back(WithPort(word, workload.container_port));
    }
    body["Entrypoint"] = Json::array({words.front()});
    words.erase(0);
    body["Cmd"] = std::move(words);
  }
  if (!workload.user.empty()) body["User"] = workload.user;
  if (!workload.working_directory.empty()) body["WorkingDir"] = workload.working_directory;
  body["Env"] = Json::array();
  for (const auto& [name, value] : spec.environment) body["Env"].push_back(Cat(name, "=", value));
}

}  // namespace

std::string ContainerName(const ContainerSpec& spec) {
  return Cat("gocomet-", spec.launch.service, "-", spec.launch.ordinal, "-", spec.cluster);
}

std::map<std::string, std::string> ContainerLabels(const ContainerSpec& spec) {
  return {{kClusterLabel, spec.cluster},
          {kServiceLabel, spec.launch.service},
          {kOrdinalLabel, Cat(spec.launch.ordinal)},
          {kInstanceLabel, spec.launch.instance},
          {kTemplateLabel, spec.launch.template_hash},
          {kPortLabel, Cat(spec.launch.port)},
          {kWorkloadLabel, spec.launch.workload.is_demo() ? kDemoWorkload : kImageWorkload}};
}

std::string CreateContainerBody(const ContainerSpec& spec) {
  const auto grace = std::chrono::ceil<std::chrono::seconds>(spec.launch.stop_grace);
  Json body;
  body["Image"] = spec.image;
  SetProgram(spec, body);
  body["Labels"] = ContainerLabels(spec);
  body["StopSignal"] = spec.launch.workload.stop_signal;
  body["StopTimeout"] = grace.count();
  body["ExposedPorts"][PortInside(spec.launch.workload)] = Json::object();
  body["HostConfig"] = HostConfig(spec);
  return ToText(body);
}

}  // namespace gocomet::controlplane
