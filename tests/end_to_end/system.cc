#include "tests/end_to_end/system.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/file.h"
#include "common/base/text.h"

namespace gocomet::testing {
namespace {

constexpr std::chrono::seconds kCallPatience{5};
constexpr int kReconnectMilliseconds = 100;

// In the state directory, for the next start.
bool IsKept(const std::string& name) {
  return name == "lock" || name == "secret" || name == "admin-token";
}

// Pid and command line of each other process whose command line has `text`.
std::vector<std::pair<int, std::string>> ProcessesWith(const std::string& text) {
  std::vector<std::pair<int, std::string>> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const int pid = std::atoi(name.c_str());
    std::string command = ReadFile(entry.path().string() + "/cmdline").value_or("");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (pid != ::getpid() && command.find(text) != std::string::npos) {
      found.emplace_back(pid, std::move(command));
    }
  }
  return found;
}

// Ids, names and states of the containers into which something below `directory` is mounted.
std::vector<std::string> ContainersWith(const std::string& directory) {
  std::vector<std::string> found;
  const CommandResult listed = RunCommand({"docker", "ps", "--all", "--no-trunc", "--format",
                                           "{{.ID}} {{.Names}} {{.Status}} {{.Mounts}}"});
  std::istringstream lines(listed.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(directory) != std::string::npos) found.push_back(line);
  }
  return found;
}

}  // namespace

System::System(std::string runtime)
    : runtime_(std::move(runtime)), reservation_(ReservePorts()), base_(FirstOf(reservation_)) {
  char name[] = "/tmp/gocomet-e2e-XXXXXX";
  directory_ = ::mkdtemp(name);
  keys = {{"worker", "3"},
          {"pool", "2"},
          {"avg-delay", "20"},
          {"failure", "0"},
          {"load-balancer-port", std::to_string(base_ + 10)},
          {"worker-port", std::to_string(base_ + 20)},
          {"stats-dir", "worker-stats.db"}};
  Connect(grpc::InsecureChannelCredentials());
}

void System::Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  // It is asked from before it listens.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMilliseconds);
  channel_ = grpc::CreateCustomChannel(Cat("ipv4:", grpc_address()), credentials, arguments);
}

void System::SpeakTls(const std::string& authority_file) {
  authority_file_ = authority_file;
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFile(authority_file).value_or("");
  Connect(grpc::SslCredentials(options));
}

void System::Begin(grpc::ClientContext& context) const {
  context.set_deadline(std::chrono::system_clock::now() + kCallPatience);
  Authenticate(context);
}

System::~System() {
  if (pid_ != 0) {
    Signal(SIGTERM);
    if (!WaitForExit()) KillControlPlane();
  }
  RemoveLeftOvers();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

std::string System::grpc_address() const { return Cat("127.0.0.1:", base_); }
std::string System::http_address() const { return Cat("127.0.0.1:", base_ + 1); }

std::string System::ConfigText() const {
  std::string text;
  for (const auto& [key, value] : keys) text += Cat(key, ": ", value, "\n");
  return Cat(text, "runtime: ", runtime_, "\ncontrol-plane:\n  grpc: ", grpc_address(),
             "\n  http: ", http_address(), "\n", control_plane_keys);
}

void System::WriteConfig() const { std::ofstream(config_file()) << ConfigText(); }

void System::Launch(const std::vector<std::string>& arguments) {
  WriteConfig();
  std::vector<std::string> command = {Program("gocomet-controlplane"), "--config", config_file()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  pid_ = Spawn(command, directory_ + "/output.log", directory_, environment);
}

absl::Status System::Start(const std::vector<std::string>& arguments) {
  Launch(arguments);
  return WaitUntilReady();
}

absl::Status System::WaitUntilReady(std::chrono::seconds timeout) {
  const bool ready = WaitUntil(
      [this] {
        // Nobody else looks after the connection: a call that cannot be made returns at once.
        const auto patience = std::chrono::system_clock::now() + std::chrono::milliseconds(100);
        if (!channel_->WaitForConnected(patience)) return false;
        grpc::ClientContext context;
        Begin(context);
        v1::ClusterStatus status;
        return NewStub<v1::ClusterService>()->GetStatus(&context, {}, &status).ok() &&
               status.converged();
      },
      timeout);
  if (ready) return absl::OkStatus();
  return absl::DeadlineExceededError(Cat("the system is not ready; its output:\n", output()));
}

void System::Signal(int signal) const { ::kill(pid_, signal); }

std::optional<int> System::WaitForExit(std::chrono::seconds timeout) {
  const auto exit = WaitForPid(pid_, timeout);
  if (exit) pid_ = 0;
  return exit;
}

void System::KillControlPlane() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::vector<uint16_t> System::balancer_ports() const {
  std::vector<uint16_t> ports;
  for (int i = 0; i < std::atoi(keys.at("pool").c_str()); ++i) {
    ports.push_back(static_cast<uint16_t>(base_ + 10 + i));
  }
  return ports;
}

std::string System::output() const { return ReadFile(directory_ + "/output.log").value_or(""); }

std::vector<v1::Worker> System::Workers() const {
  grpc::ClientContext context;
  Begin(context);
  v1::ListWorkersResponse response;
  if (!NewStub<v1::WorkerService>()->ListWorkers(&context, {}, &response).ok()) return {};
  return {response.workers().begin(), response.workers().end()};
}

std::vector<v1::Balancer> System::Balancers() const {
  grpc::ClientContext context;
  Begin(context);
  v1::ListBalancersResponse response;
  if (!NewStub<v1::BalancerService>()->ListBalancers(&context, {}, &response).ok()) return {};
  return {response.balancers().begin(), response.balancers().end()};
}

std::vector<v1::Event> System::Events() const {
  grpc::ClientContext context;
  Begin(context);
  v1::ListEventsResponse response;
  if (!NewStub<v1::EventService>()->ListEvents(&context, {}, &response).ok()) return {};
  return {response.events().begin(), response.events().end()};
}

std::optional<v1::Statistics> System::Statistics() const {
  grpc::ClientContext context;
  Begin(context);
  v1::GetStatisticsRequest request;
  request.set_include_retired(true);
  v1::Statistics response;
  if (!NewStub<v1::StatisticsService>()->GetStatistics(&context, request, &response).ok()) {
    return std::nullopt;
  }
  return response;
}

size_t System::ReadyWorkers() const {
  size_t ready = 0;
  for (const v1::Worker& worker : Workers()) {
    if (worker.status().state() == v1::WORKER_STATE_READY) ++ready;
  }
  return ready;
}

void System::Authenticate(grpc::ClientContext& context) const {
  std::string token = ReadFile(admin_token_file()).value_or("");
  if (token.ends_with('\n')) token.pop_back();
  context.AddMetadata("authorization", "Bearer " + token);
}

grpc::Status System::Apply(const std::string& config_yaml) const {
  grpc::ClientContext context;
  Begin(context);
  v1::ApplyConfigRequest request;
  request.set_config_yaml(config_yaml);
  request.set_author("test");
  v1::ApplyConfigResponse response;
  return NewStub<v1::ConfigService>()->ApplyConfig(&context, request, &response);
}

grpc::Status System::Scale(uint32_t replicas) const {
  grpc::ClientContext context;
  Begin(context);
  v1::ScaleServiceRequest request;
  request.set_replicas(replicas);
  v1::ScaleServiceResponse response;
  return NewStub<v1::ServiceService>()->ScaleService(&context, request, &response);
}

CommandResult System::Ctl(std::vector<std::string> arguments) const {
  std::vector<std::string> command = {Program("gocometctl"), "--server", grpc_address()};
  if (!authority_file_.empty()) command.insert(command.end(), {"--tls-ca", authority_file_});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunCommand(command);
}

bool System::WaitForWorkers(size_t count, std::chrono::seconds timeout) const {
  return WaitUntil([&] { return Workers().size() == count && ReadyWorkers() == count; }, timeout);
}

std::vector<std::string> System::LeftOvers() const {
  std::vector<std::string> found;
  for (const auto& [pid, command] : ProcessesWith(directory_)) {
    found.push_back(Cat("process ", pid, ": ", command));
  }
  if (runtime_ == "docker") {
    for (const std::string& line : ContainersWith(directory_)) {
      found.push_back(Cat("container ", line));
    }
  }
  std::error_code error;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory_ + "/.gocomet", error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(error) || IsKept(name)) continue;
    found.push_back(Cat(entry.is_socket(error) ? "socket " : "file ", entry.path().string()));
  }
  return found;
}

// After a test that failed, or that killed its control plane.
void System::RemoveLeftOvers() const {
  const auto processes = ProcessesWith(directory_);
  for (const auto& [pid, command] : processes) ::kill(pid, SIGKILL);
  WaitUntil([this] { return ProcessesWith(directory_).empty(); }, std::chrono::seconds(10));
  if (runtime_ != "docker") return;
  for (const std::string& line : ContainersWith(directory_)) {
    RunCommand({"docker", "rm", "--force", "--volumes", line.substr(0, line.find(' '))});
  }
}

std::string WhyNot(const std::string& runtime) {
  if (runtime != "docker") return "";
  const CommandResult engine = RunCommand({"docker", "version", "--format", "{{.Server.Version}}"});
  if (engine.exit_code == 0) return "";
  const char* required = std::getenv("GOCOMET_REQUIRE_DOCKER");
  if (required != nullptr && std::string_view(required) == "1") return "";
  return "no Docker engine answers";
}

}  // namespace gocomet::testing
