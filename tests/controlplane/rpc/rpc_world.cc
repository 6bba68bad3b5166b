#include "tests/controlplane/rpc/rpc_world.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

UniqueFd ListenOn(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *Address::Parse("unix:" + path);
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0 ||
      ::listen(fd.get(), 1024) != 0) {
    std::abort();
  }
  return fd;
}

}  // namespace

class RpcWorld::FakeStore final : public Store {
 public:
  void Write(StoreWrite write) override {
    if (write.done) write.done(absl::OkStatus());
  }
  void Flush() override {}
  size_t queued() const override { return 0; }
};

class RpcWorld::FakeLauncher final : public BalancerLauncher {
 public:
  LeftBalancers Adopt() override { return {}; }
  void Start(const std::string& name, const std::string& address, uint32_t threads,
             std::function<void(absl::StatusOr<BalancerProcess>)> done) override {
    done(BalancerProcess{name, address, threads, 4242, {}, ""});
  }
  void Signal(const std::string&, int) override {}
  void Forget(const std::string&) override {}
  void Watch(std::function<void(std::string, int64_t, BalancerExit)>) override {}
};

// Answers on the calling thread, which posts to the mailbox and no more.
class RpcWorld::FakeDriver final : public RuntimeDriver {
 public:
  explicit FakeDriver(std::string probed) : probed_(std::move(probed)) {}

  RuntimeKind kind() const override { return RuntimeKind::kProcess; }
  std::string description() const override { return "records"; }
  void Prepare(Done<absl::Status> done) override { done(absl::OkStatus()); }

  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override {
    RuntimeWorker worker;
    worker.handle = worker.instance = launch.instance;
    worker.id = Cat("abc00000000", launch.ordinal + started_before(launch.ordinal));
    worker.service = launch.service;
    worker.ordinal = launch.ordinal;
    worker.port = launch.port;
    worker.template_hash = launch.template_hash;
    worker.address = Cat("127.0.0.1:", launch.port);
    worker.balancer_address = "unix:" + probed_;
    worker.pid = 4343;
    worker.running = true;
    workers_.push_back(worker);
    done(worker);
  }
  void Stop(const std::string& handle, std::chrono::milliseconds,
            Done<absl::Status> done) override {
    for (RuntimeWorker& worker : workers_) {
      if (worker.handle == handle) worker.running = false;
    }
    done(absl::OkStatus());
  }
  void Remove(const std::string& handle, Done<absl::Status> done) override {
    std::erase_if(workers_, [&](const RuntimeWorker& w) { return w.handle == handle; });
    done(absl::OkStatus());
  }
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override { done(workers_); }
  void Watch(std::function<void()>) override {}

  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string&, int tail, bool follow,
                                                  std::function<void(RuntimeLogLine)> line,
                                                  std::function<void(absl::Status)> end) override {
    const std::vector<std::string> lines = LogLines();
    const size_t count = tail < 0 ? lines.size() : std::min<size_t>(lines.size(), tail);
    for (size_t i = lines.size() - count; i < lines.size(); ++i)
      line({std::nullopt, false, lines[i]});
    if (!follow) end(absl::OkStatus());
    return std::make_unique<LogStream>();
  }

 private:
  // A successor has another id than its predecessor.
  uint32_t started_before(uint32_t ordinal) { return 3 * starts_[ordinal]++; }

  const std::string probed_;
  std::vector<RuntimeWorker> workers_;  // The owner's thread alone, as every call comes from it.
  std::map<uint32_t, uint32_t> starts_;
};

RpcWorld::RpcWorld(std::chrono::milliseconds hello_patience)
    : RpcWorld(hello_patience, {.anonymous = Role::kAdmin}, {}, {}, {}) {}

RpcWorld::RpcWorld(AccessPolicy access, AccessLimits limits, std::vector<AccessToken> tokens,
                   TlsFiles tls)
    : RpcWorld(std::chrono::seconds(10), std::move(access), limits, std::move(tokens),
               std::move(tls)) {}

RpcWorld::RpcWorld(std::chrono::milliseconds hello_patience, AccessPolicy access,
                   AccessLimits limits, std::vector<AccessToken> tokens, TlsFiles tls) {
  char name[] = "/tmp/gocomet-rpc-XXXXXX";
  directory_ = ::mkdtemp(name);
  probed_ = ListenOn(directory_ + "/workers");
  store_ = std::make_unique<FakeStore>();
  driver_ = std::make_unique<FakeDriver>(directory_ + "/workers");
  launcher_ = std::make_unique<FakeLauncher>();

  Config config;
  config.runtime = RuntimeKind::kProcess;
  config.services[0].health.path = "";  // Whoever listens is healthy.
  Revision first;
  first.number = 1;
  first.author = "a test";
  first.source = "file";
  first.content_hash = ContentHash(config);
  first.config_yaml = RenderConfig({config, {}});
  StoredState stored;
  stored.revisions = {first};
  Cluster::Options options;
  options.worker_hash = "hash";
  options.token = [this](const std::string& instance) { return Token("worker/" + instance); };
  cluster_ =
      std::make_unique<Cluster>(std::move(options), *driver_, *launcher_, *store_, SystemClock(),
                                std::move(stored), std::move(config), LeftBalancers{});
  auto server = RpcServer::Start({.public_address = "127.0.0.1:0",
                                  .data_plane_socket = directory_ + "/data-plane",
                                  .report_socket = directory_ + "/report",
                                  .hello_patience = hello_patience,
                                  .access = std::move(access),
                                  .limits = limits,
                                  .access_tokens = std::move(tokens),
                                  .tls = std::move(tls)},
                                 *cluster_, *driver_, tokens_);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::abort();
  }
  server_ = *std::move(server);
  public_address_ = server_->public_address();
  public_ = NewChannel();

  std::promise<void> ready;
  cluster_->mailbox().Post([this, &ready] {
    cluster_->worker_subscribers().Add([this, &ready, told = false](const WorkerChange&) mutable {
      const auto workers = cluster_->workers().workers();
      const auto is_ready = [](const Worker& w) { return w.state == WorkerState::kReady; };
      if (told || workers.size() != 3 || !std::all_of(workers.begin(), workers.end(), is_ready)) {
        return;
      }
      told = true;
      ready.set_value();
    });
  });
  owner_ = std::thread([this] { cluster_->Run(); });
  if (ready.get_future().wait_for(kCallPatience) != std::future_status::ready) std::abort();
}

RpcWorld::~RpcWorld() {
  public_.reset();
  cluster_->mailbox().Post([this] { cluster_->Detach(); });
  owner_.join();
  server_.reset();
  cluster_.reset();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

std::shared_ptr<grpc::Channel> RpcWorld::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(public_address_, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<v1::DataPlaneService::Stub> RpcWorld::DataPlane() const {
  return v1::DataPlaneService::NewStub(grpc::CreateChannel(Cat("unix:", directory_, "/data-plane"),
                                                           grpc::InsecureChannelCredentials()));
}

std::unique_ptr<v1::ReportService::Stub> RpcWorld::Reports() const {
  return v1::ReportService::NewStub(
      grpc::CreateChannel(Cat("unix:", directory_, "/report"), grpc::InsecureChannelCredentials()));
}

std::string RpcWorld::Token(const std::string& bearer) const { return tokens_.Issue(bearer); }

std::string RpcWorld::InstanceOf(const std::string& worker_name) {
  std::string instance;
  OnOwner([&](Cluster& cluster) {
    const auto worker = cluster.workers().Lookup(worker_name);
    if (worker.ok()) instance = (*worker)->instance;
  });
  return instance;
}

void RpcWorld::OnOwner(const std::function<void(Cluster&)>& look) {
  std::promise<void> done;
  cluster_->mailbox().Post([&] {
    look(*cluster_);
    done.set_value();
  });
  done.get_future().wait();
}

std::vector<std::string> FieldsAtFault(const grpc::Status& status) {
  std::vector<std::string> fields;
  v1::ErrorStatus details;
  if (!details.ParseFromString(status.error_details())) return {"(details cannot be read)"};
  for (const auto& detail : details.details()) {
    v1::Violations violations;
    if (!detail.UnpackTo(&violations)) continue;
    for (const auto& violation : violations.violations()) fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace gocomet::controlplane
