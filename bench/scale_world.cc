#include "bench/scale_world.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>

#include <grpcpp/generic/generic_stub.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/config/config_text.h"
#include "controlplane/store/store.h"
#include "gocomet/v1/sync.grpc.pb.h"

namespace gocomet::controlplane {
namespace {

constexpr uint32_t kListeners = 100;

// There is nobody to answer to.
[[noreturn]] void GiveUp(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T OrGiveUp(absl::StatusOr<T> value) {
  if (!value.ok()) GiveUp(value.status().ToString());
  return *std::move(value);
}

UniqueFd ListenOn(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *Address::Parse("unix:" + path);
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0 ||
      ::listen(fd.get(), 4096) != 0) {
    GiveUp(Cat("cannot listen on ", path));
  }
  return fd;
}

Config ManyServices() {
  Config config;
  config.runtime = RuntimeKind::kProcess;
  config.services.clear();
  for (uint32_t i = 0; i < kServices; ++i) {
    Service& service = config.services.emplace_back();
    service.name = Cat("service-", i);
    service.replicas = kReplicas;
    service.host_port_base = static_cast<uint16_t>(10'000 + i * (kReplicas + 5));
    service.workload.command = {"/usr/bin/serve", "--number", Cat(i)};
    Route& route = config.routes.emplace_back();
    route.name = service.name;
    route.path_prefix = "/" + service.name;
    route.targets = {{service.name, 1}};
  }
  config.balancers.count = kBalancers;
  return config;
}

}  // namespace

// Answers on the calling thread, which posts to a mailbox and no more.
class ScaleRuntime::Driver final : public RuntimeDriver {
 public:
  explicit Driver(std::string directory) : directory_(std::move(directory)) {}

  RuntimeKind kind() const override { return RuntimeKind::kProcess; }
  std::string description() const override { return "records"; }
  void Prepare(Done<absl::Status> done) override { done(absl::OkStatus()); }
  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override {
    RuntimeWorker worker;
    worker.handle = worker.instance = worker.id = launch.instance;
    worker.service = launch.service;
    worker.ordinal = launch.ordinal;
    worker.port = launch.port;
    worker.template_hash = launch.template_hash;
    worker.address = Cat("127.0.0.1:", launch.port);
    worker.balancer_address = Cat("unix:", directory_, "/w", launch.port % kListeners);
    worker.pid = 4343;
    worker.running = true;
    workers_[worker.handle] = worker;
    done(worker);
  }
  void Stop(const std::string& handle, std::chrono::milliseconds,
            Done<absl::Status> done) override {
    if (const auto found = workers_.find(handle); found != workers_.end()) {
      found->second.running = false;
    }
    done(absl::OkStatus());
  }
  void Remove(const std::string& handle, Done<absl::Status> done) override {
    workers_.erase(handle);
    done(absl::OkStatus());
  }
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override {
    std::vector<RuntimeWorker> list;
    for (const auto& [handle, worker] : workers_) list.push_back(worker);
    done(std::move(list));
  }
  void Watch(std::function<void()>) override {}
  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string&, int, bool,
                                                  std::function<void(RuntimeLogLine)>,
                                                  std::function<void(absl::Status)>) override {
    return absl::UnimplementedError("records write no logs");
  }

 private:
  const std::string directory_;
  std::unordered_map<std::string, RuntimeWorker> workers_;  // The owner's thread alone.
};

class ScaleRuntime::Launcher final : public BalancerLauncher {
 public:
  LeftBalancers Adopt() override {
    LeftBalancers left;
    for (const auto& [name, process] : processes_) left.running.push_back(process);
    return left;
  }
  void Start(const std::string& name, const std::string& address, uint32_t threads,
             std::function<void(absl::StatusOr<BalancerProcess>)> done) override {
    const BalancerProcess process{name, address, threads, 4242, {}, ""};
    processes_[name] = process;
    done(process);
  }
  void Signal(const std::string&, int) override {}
  void Forget(const std::string&) override {}
  void Watch(std::function<void(std::string, int64_t, BalancerExit)>) override {}

 private:
  std::map<std::string, BalancerProcess> processes_;
};

ScaleRuntime::ScaleRuntime(std::string directory) : stop_(::eventfd(0, EFD_CLOEXEC)) {
  for (uint32_t i = 0; i < kListeners; ++i) {
    listeners_.push_back(ListenOn(Cat(directory, "/w", i)));
  }
  driver_ = std::make_unique<Driver>(std::move(directory));
  launcher_ = std::make_unique<Launcher>();
  answering_ = std::thread([this] { AnswerProbes(); });
}

ScaleRuntime::~ScaleRuntime() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof(one));
  answering_.join();
}

RuntimeDriver& ScaleRuntime::driver() { return *driver_; }
BalancerLauncher& ScaleRuntime::launcher() { return *launcher_; }

void ScaleRuntime::AnswerProbes() {
  constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  std::vector<pollfd> watched = {{stop_.get(), POLLIN, 0}};
  for (const UniqueFd& listener : listeners_) watched.push_back({listener.get(), POLLIN, 0});
  char request[4096];
  while (::poll(watched.data(), watched.size(), -1) > 0 && watched[0].revents == 0) {
    for (size_t i = 1; i < watched.size(); ++i) {
      if (watched[i].revents == 0) continue;
      const UniqueFd connection(::accept4(watched[i].fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (::recv(connection.get(), request, sizeof(request), 0) <= 0) continue;
      ::send(connection.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    }
  }
}

ScaleControlPlane::ScaleControlPlane(const std::string& directory, ScaleRuntime& runtime)
    : directory_(directory) {
  OpenedStore opened = OrGiveUp(OpenStore(directory + "/stats.db"));
  store_ = std::move(opened.store);
  Config config;
  if (opened.state.revisions.empty()) {
    config = ManyServices();
    Revision first;
    first.number = 1;
    first.author = "a benchmark";
    first.source = "file";
    first.content_hash = ContentHash(config);
    first.config_yaml = RenderConfig({config, {}});
    StoreWrite write;
    write.revisions.push_back(first);
    store_->Write(std::move(write));
    opened.state.revisions = {first};
  } else {
    ParsedConfig parsed = ParseConfig(opened.state.revisions.back().config_yaml, "");
    if (!parsed.ok()) GiveUp(parsed.problems.front().ToString());
    config = std::move(parsed.file.config);
  }
  Cluster::Options options;
  options.token = [](const std::string&) { return ""; };
  cluster_ = std::make_unique<Cluster>(std::move(options), runtime.driver(), runtime.launcher(),
                                       *store_, SystemClock(), std::move(opened.state),
                                       std::move(config), runtime.launcher().Adopt());
  server_ = OrGiveUp(RpcServer::Start({.public_address = "127.0.0.1:0",
                                       .data_plane_socket = directory + "/data-plane",
                                       .report_socket = directory + "/report",
                                       .access = {.anonymous_local = Role::kAdmin}},
                                      *cluster_, runtime.driver(), tokens_));
  public_address_ = server_->public_address();
  owner_ = std::thread([this] { cluster_->Run(); });
}

ScaleControlPlane::~ScaleControlPlane() {
  cluster_->mailbox().Post([this] { cluster_->Detach(); });
  owner_.join();
  server_.reset();
  store_.reset();
  cluster_.reset();
}

std::string ScaleControlPlane::data_plane_address() const {
  return Cat("unix:", directory_, "/data-plane");
}

std::string ScaleControlPlane::TokenOf(const std::string& balancer) const {
  return tokens_.Issue("balancer/" + balancer);
}

class ScaleBalancer::Stream final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(const ScaleControlPlane& control_plane, const std::string& name,
         std::function<void(uint64_t)> arrived)
      : arrived_(std::move(arrived)) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);

    channel_ = grpc::CreateCustomChannel(control_plane.data_plane_address(),
                                         grpc::InsecureChannelCredentials(), arguments);
    context_.AddMetadata("authorization", "Bearer " + control_plane.TokenOf(name));
    context_.set_wait_for_ready(true);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
    stub_->PrepareBidiStreamingCall(&context_, "/gocomet.v1.DataPlaneService/Sync", {}, this);
    v1::SyncRequest request;
    request.mutable_hello()->set_balancer(name);
    request.mutable_hello()->set_incarnation(1);
    Encode(request);
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  void EndAndWait() {
    context_.TryCancel();
    std::unique_lock hold(mutex_);
    ended_.wait(hold, [this] { return is_over_; });
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (const uint64_t version = VersionOf(response_); version != 0) {
      arrived_(version);
      v1::SyncRequest request;
      request.mutable_ack()->set_version(version);
      Encode(request);
      StartWrite(&request_);
    }
    StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override {
    const std::lock_guard hold(mutex_);
    is_over_ = true;
    ended_.notify_all();
  }

  void Encode(const v1::SyncRequest& request) {
    const grpc::Slice slice(request.SerializeAsString());
    request_ = grpc::ByteBuffer(&slice, 1);
  }

  // Of `snapshot { version … }`, whose first field it is; 0 for other messages.
  static uint64_t VersionOf(const grpc::ByteBuffer& response) {
    std::vector<grpc::Slice> slices;
    if (!response.Dump(&slices).ok()) return 0;
    std::string head;
    for (const grpc::Slice& slice : slices) {
      head.append(reinterpret_cast<const char*>(slice.begin()), std::min<size_t>(slice.size(), 32));
      if (head.size() >= 32) break;
    }
    size_t at = 0;
    const auto varint = [&] {
      uint64_t value = 0;
      for (int shift = 0; at < head.size(); shift += 7) {
        const auto byte = static_cast<unsigned char>(head[at++]);
        value |= static_cast<uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) break;
      }
      return value;
    };
    constexpr uint64_t kSnapshotTag = v1::SyncResponse::kSnapshotFieldNumber << 3 | 2;
    constexpr uint64_t kVersionTag = v1::Snapshot::kVersionFieldNumber << 3;
    if (varint() != kSnapshotTag) return 0;
    varint();  // Its length.
    return varint() == kVersionTag ? varint() : 0;
  }

  const std::function<void(uint64_t)> arrived_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::mutex mutex_;  // Guards is_over_.
  std::condition_variable ended_;
  bool is_over_ = false;
};

ScaleBalancer::ScaleBalancer(const ScaleControlPlane& control_plane, const std::string& name,
                             std::function<void(uint64_t)> arrived)
    : stream_(std::make_unique<Stream>(control_plane, name, std::move(arrived))) {}

ScaleBalancer::~ScaleBalancer() { stream_->EndAndWait(); }

}  // namespace gocomet::controlplane
