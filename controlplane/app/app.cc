#include "controlplane/app/app.h"

#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "controlplane/app/balancer_processes.h"
#include "controlplane/app/config_reload.h"
#include "controlplane/app/config_start.h"
#include "controlplane/app/console.h"
#include "controlplane/app/file_watch.h"
#include "controlplane/app/local_admin.h"
#include "controlplane/app/ports.h"
#include "controlplane/app/runtime_choice.h"
#include "controlplane/app/signals.h"
#include "controlplane/app/staged_tls.h"
#include "controlplane/app/state_directory.h"
#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/http/health_server.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/server.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kPreparePatience{180};
constexpr std::chrono::seconds kListPatience{15};
constexpr std::chrono::seconds kFlushPatience{5};

void Say(const std::string& line) {
  std::fwrite((line + "\n").data(), 1, line.size() + 1, stdout);
  std::fflush(stdout);
}

void Complain(const std::string& line) {
  const std::string text = Cat("gocomet-controlplane: error: ", line, "\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
}

// Waits for the one answer of an asynchronous call.
template <typename T>
T WaitFor(const std::function<void(std::function<void(T)>)>& call, std::chrono::seconds patience,
          const char* what) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> answer = promise->get_future();
  call([promise](T value) { promise->set_value(std::move(value)); });
  if (answer.wait_for(patience) != std::future_status::ready) {
    return absl::DeadlineExceededError(
        Cat(what, " has not answered within ", patience.count(), " s"));
  }
  return answer.get();
}

// Where this program and its sisters are.
absl::StatusOr<std::string> ProgramDirectory() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error)
    return absl::NotFoundError("cannot find the directory of this program in /proc/self/exe");
  return self.parent_path().string();
}

// How a person calls gocometctl from the working directory.
std::string ClientFromHere() {
  const auto programs = ProgramDirectory();
  const std::filesystem::path client = std::filesystem::path(programs.value_or("")) / "gocometctl";
  std::error_code error;
  const std::filesystem::path near = std::filesystem::proximate(client, error);
  if (error || near.string().starts_with("..")) return client.string();
  return near.has_parent_path() ? near.string() : Cat("./", near.string());
}

// A short name for the content of a file that differs whenever the content does.
absl::StatusOr<std::string> ContentName(const std::string& path) {
  GOCOMET_ASSIGN_OR_RETURN(const std::string content, ReadFile(path));
  return TokenIssuer("gocomet-worker").Issue(content).substr(0, 12);
}

// Everything that one life of the control plane consists of, in the order in which it is made.
class App {
 public:
  explicit App(const CommandLine& line) : line_(line) {}

  // Whoever posts to the cluster's mailbox ends before the cluster does.
  ~App() {
    signals_.reset();
    http_.reset();
    rpc_.reset();
    if (tls_) tls_->Remove();
    console_.reset();
    if (cluster_) cluster_->workers().ForgetDiagnoses();
    driver_.reset();
    launcher_.reset();
    store_.reset();
    cluster_.reset();
  }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  int Run() {
    if (const auto exit = ReadConfig()) return *exit;
    BlockSignals();
    signals_.emplace([this](int signal) { PassOnSignal(signal); }, [this] { LookAtConfig(); });
    if (const absl::Status status = Prepare(); !status.ok()) {
      Complain(std::string(MessageOf(status)));
      return 1;
    }
    ::sd_notify(0, "READY=1");  // Where systemd started it and waits; else it does nothing.
    cluster_->Run();
    console_.reset();
    const bool everything_gone =
        cluster_->workers().workers().empty() && cluster_->balancers().balancers().empty();
    FlushStore();
    if (detached_) {
      Say("Detached: workers and balancers go on; the next start takes them over.");
      return 0;
    }
    if (!everything_gone) {
      Complain(
          "not everything could be stopped; `gocomet-controlplane` started again will find the "
          "rest");
      return 1;
    }
    Say("Everything that was started is stopped and removed.");
    return stopped_at_once_ ? 130 : 0;
  }

 private:
  // The exit status where the program ends here: --check, or a config that is not valid.
  std::optional<int> ReadConfig() {
    if (line_.watch_config) config_watch_.emplace(StampOf(line_.config_file));
    ParsedConfig parsed;
    auto loaded = LoadConfigFile(line_.config_file, parsed);
    if (!loaded.ok()) {
      Complain(std::string(MessageOf(loaded.status())));
      return 2;
    }
    for (const ConfigProblem& problem : parsed.problems)
      std::fprintf(stderr, "%s\n", problem.ToString().c_str());
    if (!parsed.ok()) return 2;
    for (const ConfigProblem& warning : parsed.warnings)
      std::fprintf(stderr, "warning: %s\n", warning.ToString().c_str());
    if (line_.check) {
      if (!loaded->exists) {
        Complain(Cat(line_.config_file, " does not exist"));
        return 2;
      }
      Say(Cat(line_.config_file, " is valid."));
      return 0;
    }
    loaded_ = *std::move(loaded);
    if (!loaded_.exists) Say(Cat("There is no ", line_.config_file, ": running on the defaults."));
    return std::nullopt;
  }

  absl::Status Prepare() {
    const ProcessSettings& process = loaded_.file.process;
    GOCOMET_ASSIGN_OR_RETURN(
        auto state, StateDirectory::Open(ResolvePath(loaded_.directory, process.state_directory)));
    state_.emplace(std::move(state));
    GOCOMET_ASSIGN_OR_RETURN(auto tokens, TokenIssuer::Open(state_->secret_file()));
    tokens_.emplace(std::move(tokens));
    GOCOMET_ASSIGN_OR_RETURN(auto tls,
                             StagedTls::Open(ResolveTls(process.tls), state_->tls_directory()));
    tls_.emplace(std::move(tls));

    database_file_ = ResolvePath(loaded_.directory, process.database_file);
    GOCOMET_ASSIGN_OR_RETURN(OpenedStore opened, OpenStore(database_file_));
    for (const std::string& notice : opened.notices) Say(Cat("Database: ", notice));
    store_ = std::move(opened.store);
    GOCOMET_ASSIGN_OR_RETURN(
        StartingPoint start,
        ChooseStart(loaded_, std::move(opened.state.revisions), clock_.Wall()));
    if (!start.notice.empty()) Say(Cat("Config: ", start.notice));

    GOCOMET_ASSIGN_OR_RETURN(const std::string programs, ProgramDirectory());
    const std::string worker_program = programs + "/gocomet-worker";
    GOCOMET_ASSIGN_OR_RETURN(const std::string worker_hash, ContentName(worker_program));
    GOCOMET_ASSIGN_OR_RETURN(
        ChosenRuntime runtime,
        ChooseRuntime(start.config.runtime, *state_, loaded_.directory, worker_program));
    driver_ = std::move(runtime.driver);
    GOCOMET_RETURN_IF_ERROR(CheckServices(start.config));
    const std::string shown = Cat(ToString(driver_->kind()), " (", runtime.reason, ")");
    Say(Cat("Runtime: ", shown));
    GOCOMET_RETURN_IF_ERROR(WaitFor<absl::Status>([this](auto done) { driver_->Prepare(done); },
                                                  kPreparePatience, "the runtime"));
    const std::string balancer_program = programs + "/gocomet-balancer";
    // Without it nothing is started, and the message below says what to do.
    const std::string balancer_hash = ContentName(balancer_program).value_or("");
    GOCOMET_ASSIGN_OR_RETURN(
        launcher_, MakeBalancerProcesses({.program = balancer_program,
                                          .program_content = balancer_hash,
                                          .directory = state_->balancers_directory(),
                                          .data_plane_socket = state_->data_plane_socket()},
                                         *tokens_, clock_));
    left_over_ = launcher_->Adopt();
    GOCOMET_RETURN_IF_ERROR(CheckPorts(start.config));
    // A start that was refused until here leaves no revision behind.
    if (start.added) GOCOMET_RETURN_IF_ERROR(StoreRevision(start.revisions.back()));

    Cluster::Options options;
    options.worker_hash = worker_hash;
    options.balancer_hash = balancer_hash;
    options.token = [this](const std::string& instance) {
      return tokens_->Issue(Cat("worker/", instance));
    };
    options.process = process;
    access_tokens_ = std::move(opened.state.access_tokens);
    GOCOMET_ASSIGN_OR_RETURN(auto admin, OpenLocalAdmin(state_->admin_token_file(), clock_.Wall()));
    access_tokens_.push_back(std::move(admin));
    opened.state.revisions = std::move(start.revisions);
    cluster_.emplace(std::move(options), *driver_, *launcher_, *store_, clock_,
                     std::move(opened.state), std::move(start.config), std::move(left_over_));
    return Serve(runtime.reason, shown);
  }

  // Every service that the runtime cannot run, at once.
  absl::Status CheckServices(const Config& config) const {
    ParsedConfig wanted;
    wanted.file.config = config;
    std::string text;
    for (const ConfigProblem& problem : FindUnfitServices(driver_->kind(), wanted, "")) {
      text += Cat(text.empty() ? "" : "\n  ", problem.ToString());
    }
    return text.empty() ? absl::OkStatus() : absl::FailedPreconditionError(text);
  }

  // Durable before anything is done for it.
  absl::Status StoreRevision(const Revision& revision) {
    return WaitFor<absl::Status>(
        [&](auto done) {
          StoreWrite write;
          write.revisions.push_back(revision);
          write.done = done;
          store_->Write(std::move(write));
        },
        kListPatience, "the database");
  }

  // Every port that somebody else has, at once, before anything is started.
  absl::Status CheckPorts(const Config& config) {
    std::set<std::string> ours;
    for (const BalancerProcess& balancer : left_over_.running) ours.insert(balancer.address);
    const auto listed = WaitFor<absl::StatusOr<std::vector<RuntimeWorker>>>(
        [this](auto done) { driver_->List(done); }, kListPatience, "the runtime");
    if (!listed.ok()) return listed.status();
    for (const RuntimeWorker& worker : *listed) ours.insert(worker.address);
    const bool workers_need_ports = driver_->kind() != RuntimeKind::kExternal;
    std::string text;
    for (const TakenPort& taken :
         FindTakenPorts(config, loaded_.file.process, workers_need_ports, ours)) {
      text += Cat(text.empty() ? "" : "\n  ", taken.address, ", wanted for ", taken.wanted_for,
                  ", ", taken.problem);
    }
    return text.empty() ? absl::OkStatus() : absl::AlreadyExistsError(text);
  }

  absl::Status Serve(const std::string& runtime_reason, const std::string& shown_runtime) {
    const ProcessSettings& process = loaded_.file.process;
    {
      const std::lock_guard hold(mutex_);
      reload_.emplace(*cluster_, line_.config_file, process, config_watch_);
    }
    GOCOMET_ASSIGN_OR_RETURN(http_, HealthServer::Start(process.http_address, tls_->files(),
                                                        [this] { return cluster_->ready(); }));
    v1::ClusterStatus facts;
    facts.set_version(kVersion);
    facts.set_pid(::getpid());
    *facts.mutable_start_time() = ToProto(clock_.Wall());
    facts.set_runtime(ToProto(driver_->kind()));
    facts.set_runtime_reason(runtime_reason);
    facts.set_config_file(loaded_.path);
    facts.set_database_file(database_file_);
    facts.set_state_directory(state_->path());
    facts.set_http_address(http_->address());
    GOCOMET_ASSIGN_OR_RETURN(rpc_,
                             RpcServer::Start({.public_address = process.grpc_address,
                                               .data_plane_socket = state_->data_plane_socket(),
                                               .report_socket = state_->report_socket(),
                                               .process = process,
                                               .facts = facts,
                                               .access = Access(process),
                                               .access_tokens = std::move(access_tokens_),
                                               .tls = tls_->files()},
                                              *cluster_, *driver_, *tokens_));
    Banner banner;
    banner.version = kVersion;
    banner.config = loaded_.exists ? loaded_.path : "the defaults";
    banner.runtime = shown_runtime;
    banner.grpc_address = rpc_->public_address();
    banner.http_address = http_->address();
    banner.speaks_tls = process.tls.enabled();
    banner.is_insecure = process.insecure;
    banner.database = database_file_;
    banner.state_directory = state_->path();
    banner.client = ClientFromHere();
    console_.emplace(std::move(banner), [this] {
      cluster_->mailbox().PostRequest([this] { console_->Show(DescribeCluster()); });
    });
    cluster_->events().subscribers().Add(
        [this](const Event& event) { console_->ShowEvent(event); });
    return absl::OkStatus();
  }

  AccessPolicy Access(const ProcessSettings& process) const {
    AccessPolicy policy;
    policy.local_token_file = state_->admin_token_file();
    policy.takes_certificates = !process.tls.client_authority.empty();
    const auto address = Address::Parse(process.grpc_address);
    // Elsewhere a loopback peer may be a proxy that speaks for anybody.
    const bool is_private = address.ok() && address->is_loopback() && !process.tls.enabled();
    if (is_private && process.anonymous_read) policy.anonymous_local = Role::kViewer;
    if (process.insecure) policy.anonymous = Role::kAdmin;
    return policy;
  }

  TlsFiles ResolveTls(TlsFiles files) const {
    for (std::string* path : {&files.certificate, &files.key, &files.client_authority}) {
      if (!path->empty()) *path = ResolvePath(loaded_.directory, *path);
    }
    return files;
  }

  // On the signals' thread. Before it serves nothing has been started, and calls that may take
  // minutes, such as the build of an image, are under way: there is nothing to wait for.
  void PassOnSignal(int signal) {
    const std::lock_guard hold(mutex_);
    if (!reload_) {
      if (signal == SIGHUP) return;  // The file is being read just now.
      Say("Stopped before anything was started.");
      ::_exit(0);
    }
    cluster_->mailbox().Post([this, signal] { OnSignal(signal); });
    if (signal == SIGHUP) reload_->Read();
  }

  // On the signals' thread.
  void LookAtConfig() {
    const std::lock_guard hold(mutex_);
    if (reload_) reload_->Look();
  }

  // On the owner's thread, as all below.
  void OnSignal(int signal) {
    if (signal == SIGHUP) return ReloadTls();
    if (line_.detach_on_exit || signal == SIGUSR2) {
      detached_ = true;
      return cluster_->Detach();
    }
    if (cluster_->stopping()) {
      stopped_at_once_ = true;
      cluster_->StopNow();
    } else {
      cluster_->Stop();
    }
  }

  void ReloadTls() {
    const auto is_new = tls_->Refresh();
    if (!is_new.ok()) {
      cluster_->events().Error(
          "cluster", "TlsReloadFailed",
          Cat(MessageOf(is_new.status()), "; what was read before stays in use"));
    } else if (*is_new) {
      cluster_->events().Info("cluster", "TlsReloaded",
                              "new connections meet the new certificate within seconds");
    }
  }

  Overview DescribeCluster() {
    Overview overview;
    for (const Balancer& balancer : cluster_->balancers().balancers()) {
      overview.balancers.push_back({balancer.name, ToString(balancer.state), balancer.address,
                                    balancer.reason, balancer.requests, balancer.connections});
    }
    const std::vector<Ledger::WorkerRow> rows = cluster_->ledger().Rows();
    for (const Worker& worker : cluster_->workers().workers()) {
      Overview::WorkerLine line{worker.name(), worker.id, ToString(worker.state), worker.address,
                                worker.reason};
      const auto row = std::find_if(rows.begin(), rows.end(), [&](const Ledger::WorkerRow& r) {
        return r.worker_id == worker.id;
      });
      if (row != rows.end()) {
        line.requests = row->counters.total();
        line.failed = row->counters.failed;
        line.average_ms = row->average_response_time_ms();
      }
      overview.workers.push_back(std::move(line));
    }
    std::sort(overview.workers.begin(), overview.workers.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    const RequestCounters total = cluster_->ledger().Total();
    overview.requests = total.total();
    overview.failed = total.failed;
    overview.converged = cluster_->Converged();
    overview.stopping = cluster_->stopping();
    return overview;
  }

  void FlushStore() {
    const absl::Status flushed = WaitFor<absl::Status>(
        [this](auto done) {
          StoreWrite last;
          last.done = done;
          store_->Write(std::move(last));
          store_->Flush();
        },
        kFlushPatience, "the database");
    if (!flushed.ok())
      Complain(Cat("the last statistics are not in the database: ", MessageOf(flushed)));
  }

  const CommandLine line_;
  const Clock& clock_ = SystemClock();
  LoadedConfig loaded_;
  std::optional<FileWatch> config_watch_;  // As the file was when it was read.
  std::string database_file_;
  bool detached_ = false;
  bool stopped_at_once_ = false;

  std::mutex mutex_;  // Guards reload_, and the exit that comes of its not being there.
  std::optional<ConfigReload> reload_;  // Once it serves.

  std::optional<StateDirectory> state_;
  std::optional<TokenIssuer> tokens_;
  std::optional<StagedTls> tls_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<RuntimeDriver> driver_;
  std::unique_ptr<BalancerLauncher> launcher_;
  LeftBalancers left_over_;
  std::vector<AccessToken> access_tokens_;
  std::optional<Cluster> cluster_;
  std::unique_ptr<RpcServer> rpc_;
  std::unique_ptr<HealthServer> http_;
  std::optional<Console> console_;
  std::optional<SignalThread> signals_;
};

}  // namespace

int RunControlPlane(const CommandLine& line) { return App(line).Run(); }

}  // namespace gocomet::controlplane
