#include "controlplane/rpc/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include "common/base/address.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/rpc/access_interceptor.h"
#include "controlplane/rpc/access_service.h"
#include "controlplane/rpc/call_context.h"
#include "controlplane/rpc/config_service.h"
#include "controlplane/rpc/rollout_service.h"
#include "controlplane/rpc/stream_limit.h"
#include "controlplane/rpc/sync_services.h"
#include "controlplane/rpc/tls_credentials.h"
#include "controlplane/rpc/unreadable_requests.h"
#include "controlplane/rpc/view_services.h"
#include "controlplane/rpc/worker_service.h"

namespace gocomet::controlplane {
namespace {

constexpr int kMessageBytesMax = 4 << 20;
constexpr std::chrono::milliseconds kShutdownPatience{250};
// Calls of one connection; more wait for their turn. Above the limit on streams, so that it is
// that one which speaks.
constexpr int kCallsPerConnectionMax = 1000;
// Reflection and health occupy a thread for each open call.
constexpr int kThreadsMax = 64;
constexpr int kHandshakeMilliseconds = 10'000;

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMilliseconds);
  builder.SetResourceQuota(grpc::ResourceQuota("gocomet").SetMaxThreads(kThreadsMax));
}

void SetInterceptors(grpc::ServerBuilder& builder,
                     std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> last) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  // Those of a call speak in this order before its status is sent.
  factories.push_back(ExplainUnreadableRequests());
  if (last) factories.push_back(std::move(last));
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

// One gRPC server on a Unix socket. A socket that a dead control plane left behind is replaced; the
// lock on the state directory says that it is dead.
absl::StatusOr<std::unique_ptr<grpc::Server>> ServeOnSocket(grpc::Service& service,
                                                            const std::string& path, mode_t mode) {
  GOCOMET_ASSIGN_OR_RETURN(const Address address, Address::Parse(Cat("unix:", path)));
  ::unlink(path.c_str());
  grpc::ServerBuilder builder;
  SetLimits(builder);
  SetInterceptors(builder, nullptr);
  builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return absl::UnavailableError(Cat("cannot serve on the socket ", path));
  if (::chmod(path.c_str(), mode) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot set the mode of ", path));
  }
  return server;
}

class Server final : public RpcServer {
 public:
  Server(const Options& options, Cluster& cluster, RuntimeDriver& driver, const TokenIssuer& tokens)
      : gatekeeper_(options.access, options.limits, cluster.clock()),
        access_(cluster, gatekeeper_, options.access_tokens),
        config_(cluster, watches_, options.process),
        services_(cluster, watches_),
        workers_(cluster, watches_, driver),
        rollouts_(cluster, watches_),
        balancers_(cluster, watches_),
        events_(cluster, watches_),
        statistics_(cluster, watches_),
        cluster_(cluster, options.facts),
        data_plane_(cluster, tokens, options.hello_patience),
        reports_(cluster, tokens, options.hello_patience),
        record_([&cluster](Event event) {
          cluster.mailbox().Post([&cluster, event = std::move(event)] {
            if (event.severity == Severity::kInfo) {
              cluster.events().Info(event.subject, event.kind, event.message);
            } else {
              cluster.events().Warning(event.subject, event.kind, event.message);
            }
          });
        }) {}

  absl::Status Start(const Options& options) {
    GOCOMET_ASSIGN_OR_RETURN(address_, Address::Parse(options.public_address));
    GOCOMET_RETURN_IF_ERROR(CheckAddressIsFree(address_));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    // Two control planes must not share the port without knowing it.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    SetLimits(builder);
    SetInterceptors(builder, MakeAccessInterceptors(gatekeeper_, record_));
    builder.SetContextAllocator(std::make_unique<CallContexts>());
    GOCOMET_ASSIGN_OR_RETURN(const auto credentials, MakeServerCredentials(options.tls));
    int port = 0;
    builder.AddListeningPort(options.public_address, credentials, &port);
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &access_, &config_, &services_, &workers_, &rollouts_, &balancers_, &events_,
             &statistics_, &cluster_}) {
      builder.RegisterService(service);
    }
    public_server_ = builder.BuildAndStart();
    if (!public_server_ || port <= 0) {
      return absl::AlreadyExistsError(Cat("cannot serve gRPC on ", options.public_address));
    }
    for (const char* service :
         {v1::AccessService::service_full_name(), v1::ConfigService::service_full_name(),
          v1::ServiceService::service_full_name(), v1::WorkerService::service_full_name(),
          v1::RolloutService::service_full_name(), v1::BalancerService::service_full_name(),
          v1::EventService::service_full_name(), v1::StatisticsService::service_full_name(),
          v1::ClusterService::service_full_name()}) {
      public_server_->GetHealthCheckService()->SetServingStatus(service, true);
    }
    GOCOMET_ASSIGN_OR_RETURN(address_,
                             Address::FromIpAndPort(address_.host(), static_cast<uint16_t>(port)));
    cluster_.ListensOn(address_.ToString());
    GOCOMET_ASSIGN_OR_RETURN(data_plane_server_,
                             ServeOnSocket(data_plane_, options.data_plane_socket, 0600));
    // Workers in containers run as another user; the state directory keeps everyone else out.
    GOCOMET_ASSIGN_OR_RETURN(report_server_, ServeOnSocket(reports_, options.report_socket, 0666));
    return absl::OkStatus();
  }

  ~Server() override {
    const auto deadline = std::chrono::system_clock::now() + kShutdownPatience;
    for (auto* server : {&public_server_, &report_server_, &data_plane_server_}) {
      if (*server) (*server)->Shutdown(deadline);
      server->reset();
    }
  }

  std::string public_address() const override { return address_.ToString(); }

 private:
  Address address_;
  StreamLimit watches_{kWatchesMax};
  Gatekeeper gatekeeper_;
  AccessService access_;
  ConfigService config_;
  ServiceService services_;
  WorkerService workers_;
  RolloutService rollouts_;
  BalancerService balancers_;
  EventService events_;
  StatisticsService statistics_;
  ClusterService cluster_;
  DataPlaneService data_plane_;
  ReportService reports_;
  const std::function<void(Event)> record_;
  std::unique_ptr<grpc::Server> public_server_;
  std::unique_ptr<grpc::Server> data_plane_server_;
  std::unique_ptr<grpc::Server> report_server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const Options& options,
                                                            Cluster& cluster, RuntimeDriver& driver,
                                                            const TokenIssuer& tokens) {
  auto server = std::make_unique<Server>(options, cluster, driver, tokens);
  GOCOMET_RETURN_IF_ERROR(server->Start(options));
  return server;
}

}  // namespace gocomet::controlplane
