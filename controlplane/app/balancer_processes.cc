#include "controlplane/app/balancer_processes.h"

#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/app/left_counts.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/runtime/child_processes.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kWaitingMax = 1000;
constexpr size_t kLastWordsBytes = 300;

std::string DescribeExit(const ProcessExit& exit) {
  if (!exit.known) return "ended";
  if (exit.signal != 0)
    return Cat("killed by signal ", exit.signal, " (", ::strsignal(exit.signal), ")");
  return Cat("exit ", exit.code);
}

// The end of what it wrote to stderr, as one line.
std::string LastWords(const std::string& file) {
  const auto text = ReadFile(file);
  if (!text.ok()) return "";
  std::string_view rest = *text;
  while (!rest.empty() && rest.back() == '\n') rest.remove_suffix(1);
  const size_t line = rest.rfind('\n');
  if (line != std::string_view::npos) rest.remove_prefix(line + 1);
  return std::string(rest.substr(0, kLastWordsBytes));
}

class BalancerProcesses final : public BalancerLauncher {
 public:
  BalancerProcesses(BalancerProcessesOptions options, const TokenIssuer& tokens, const Clock& clock,
                    std::unique_ptr<ChildProcesses> processes)
      : options_(std::move(options)),
        tokens_(tokens),
        clock_(clock),
        processes_(std::move(processes)),
        queue_(1, kWaitingMax) {}

  ~BalancerProcesses() override {
    queue_.Drain();
    processes_.reset();  // Ends its callbacks, which use what is below.
  }

  std::string program() const override { return options_.program_content; }

  LeftBalancers Adopt() override {
    LeftBalancers left;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(options_.directory, error)) {
      if (!entry.is_directory(error)) continue;
      const std::string name = entry.path().filename().string();
      const auto launch = ReadLaunch(name);
      const auto identities = FindProcesses({{"--state-dir", entry.path().string()}});
      if (identities.empty() && launch.ok()) left.ended.push_back(launch->process);
      for (const ProcessIdentity& identity : identities) {
        if (!launch.ok() || !Watch(name, identity).ok()) continue;
        BalancerProcess process = launch->process;
        process.pid = identity.pid;
        process.start_time = clock_.Wall();
        left.running.push_back(std::move(process));
      }
      // One that runs tells by itself, and its file says the same.
      auto counted = ReadCounts(name);
      if (!counted.ok()) {
        left.unreadable.push_back(counted.status());
        continue;
      }
      for (BalancedTotals& totals : *counted) left.counted.push_back(std::move(totals));
      // Whoever was to start it was killed before it did.
      if (identities.empty() && !launch.ok()) std::filesystem::remove_all(entry.path(), error);
    }
    return left;
  }

  void Start(const std::string& name, const std::string& address, uint32_t threads,
             std::function<void(absl::StatusOr<BalancerProcess>)> done) override {
    const bool taken = queue_.TryPost(
        [this, name, address, threads, done] { done(StartNow(name, address, threads)); });
    if (!taken) done(absl::ResourceExhaustedError("too many balancers wait to be started"));
  }

  void Signal(const std::string& name, int signal) override {
    const std::lock_guard hold(mutex_);
    const auto found = running_.find(name);
    if (found != running_.end()) (void)processes_->Signal(found->second, signal);
  }

  void Forget(const std::string& name) override {
    queue_.Post([this, name] {
      {
        const std::lock_guard hold(mutex_);
        if (running_.contains(name)) return;
      }
      std::error_code ignored;  // What stays is found and used again by a successor.
      std::filesystem::remove_all(DirectoryOf(name), ignored);
    });
  }

  void Watch(std::function<void(std::string, int64_t, BalancerExit)> exited) override {
    const std::lock_guard hold(mutex_);
    exited_ = std::move(exited);
  }

 private:
  std::string DirectoryOf(const std::string& name) const {
    return Cat(options_.directory, "/", name);
  }

  absl::StatusOr<std::vector<BalancedTotals>> ReadCounts(const std::string& name) const {
    return ReadLeftCounts(name, DirectoryOf(name) + "/counters");
  }

  struct Launched {
    BalancerProcess process;
    std::string door;  // Where it waits for its successor.
  };

  absl::StatusOr<Launched> ReadLaunch(const std::string& name) const {
    GOCOMET_ASSIGN_OR_RETURN(const std::string text, ReadFile(DirectoryOf(name) + "/launch.json"));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const bool whole = json.is_object() && json.contains("address") &&
                       json["address"].is_string() && json.contains("threads") &&
                       json["threads"].is_number_unsigned();
    if (!whole) return absl::DataLossError(Cat(DirectoryOf(name), "/launch.json cannot be read"));
    const auto text_of = [&json](const char* key, std::string otherwise) {
      return json.contains(key) && json[key].is_string() ? json[key].get<std::string>()
                                                         : std::move(otherwise);
    };
    Launched launched;
    launched.process.name = name;
    launched.process.address = json["address"].get<std::string>();
    launched.process.threads = json["threads"].get<uint32_t>();
    launched.process.program = text_of("program", "");
    // Doors were named after balancers once.
    launched.door = text_of("handover", DirectoryOf(HandoverName(name)) + ".handover");
    return launched;
  }

  // Where the balancers of a port meet.
  std::string DoorFor(const std::string& name, const std::string& address) {
    std::vector<std::string> others;
    {
      const std::lock_guard hold(mutex_);
      for (const auto& [other, identity] : running_) {
        if (other != name) others.push_back(other);
      }
    }
    for (const std::string& other : others) {
      const auto launched = ReadLaunch(other);
      if (launched.ok() && PortOf(launched->process.address) == PortOf(address)) {
        return launched->door;
      }
    }
    return Cat(options_.directory, "/port-", PortOf(address), ".handover");
  }

  absl::StatusOr<BalancerProcess> StartNow(const std::string& name, const std::string& address,
                                           uint32_t threads) {
    const std::string directory = DirectoryOf(name);
    const std::string token_file = directory + "/token";
    GOCOMET_RETURN_IF_ERROR(MakeDirectories(directory, 0700));
    GOCOMET_RETURN_IF_ERROR(
        WriteFileAtomically(token_file, tokens_.Issue(Cat("balancer/", name)), 0600));
    const std::string door = DoorFor(name, address);
    const nlohmann::json launch_record = {{"address", address},
                                          {"threads", threads},
                                          {"program", options_.program_content},
                                          {"handover", door}};
    GOCOMET_RETURN_IF_ERROR(
        WriteFileAtomically(directory + "/launch.json", launch_record.dump(), 0600));
    ProcessLaunch launch;
    launch.program = options_.program;
    launch.arguments = {"--name",          name,
                        "--listen",        address,
                        "--threads",       std::to_string(threads),
                        "--control-plane", Cat("unix:", options_.data_plane_socket),
                        "--token-file",    token_file,
                        "--state-dir",     directory,
                        "--handover",      Cat("unix:", door)};
    launch.working_directory = directory;
    launch.stdout_file = directory + "/stdout.log";
    launch.stderr_file = directory + "/stderr.log";
    GOCOMET_ASSIGN_OR_RETURN(const ProcessIdentity identity,
                             processes_->Start(launch, OnExit(name)));
    Remember(name, identity);
    return BalancerProcess{name,         address,       threads,
                           identity.pid, clock_.Wall(), options_.program_content};
  }

  absl::Status Watch(const std::string& name, const ProcessIdentity& identity) {
    GOCOMET_RETURN_IF_ERROR(processes_->Adopt(identity, OnExit(name)));
    Remember(name, identity);
    return absl::OkStatus();
  }

  void Remember(const std::string& name, const ProcessIdentity& identity) {
    const std::lock_guard hold(mutex_);
    if (processes_->Watches(identity)) running_[name] = identity;
  }

  ChildProcesses::OnExit OnExit(const std::string& name) {
    return [this, name](const ProcessIdentity& identity, const ProcessExit& exit) {
      std::function<void(std::string, int64_t, BalancerExit)> exited;
      {
        const std::lock_guard hold(mutex_);
        const auto found = running_.find(name);
        if (found != running_.end() && found->second == identity) running_.erase(found);
        exited = exited_;
      }
      std::string cause = DescribeExit(exit);
      if (exit.known && exit.signal == 0 && exit.code != 0) {
        cause += Cat(": ", LastWords(DirectoryOf(name) + "/stderr.log"));
      }
      const bool clean = !exit.known || (exit.signal == 0 && exit.code == 0);
      if (exited) exited(name, identity.pid, {std::move(cause), ReadCounts(name), clean});
    };
  }

  const BalancerProcessesOptions options_;
  const TokenIssuer& tokens_;
  const Clock& clock_;
  std::unique_ptr<ChildProcesses> processes_;

  std::mutex mutex_;  // Guards the two below.
  std::map<std::string, ProcessIdentity> running_;
  std::function<void(std::string, int64_t, BalancerExit)> exited_;

  TaskQueue queue_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BalancerLauncher>> MakeBalancerProcesses(
    BalancerProcessesOptions options, const TokenIssuer& tokens, const Clock& clock) {
  if (!std::filesystem::exists(options.program)) {
    return absl::NotFoundError(Cat("the balancer's program ", options.program,
                                   " does not exist; build it with `make build`"));
  }
  GOCOMET_ASSIGN_OR_RETURN(auto processes, ChildProcesses::Create());
  return std::make_unique<BalancerProcesses>(std::move(options), tokens, clock,
                                             std::move(processes));
}

}  // namespace gocomet::controlplane
