#include "controlplane/rpc/unreadable_requests.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <grpcpp/support/server_interceptor.h>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/status.h"

namespace gocomet::controlplane {
namespace {

namespace experimental = grpc::experimental;

// The parser names the field at fault in its log and nowhere else. Interceptors run on the thread
// that has just parsed.
thread_local std::string field_not_utf8;

// `String field 'gocomet.v1.ApplyConfigRequest.config_yaml' contains invalid UTF-8 data when …`:
// the field's own name, or nothing where the message is another one.
std::string FieldOf(const std::string& message) {
  constexpr std::string_view kBegin = "String field '";
  if (!message.starts_with(kBegin)) return "";
  const size_t end = message.find('\'', kBegin.size());
  if (end == std::string::npos) return "";
  const std::string full_name = message.substr(kBegin.size(), end - kBegin.size());
  const size_t dot = full_name.rfind('.');
  return dot == std::string::npos ? full_name : full_name.substr(dot + 1);
}

void HandleLog(google::protobuf::LogLevel level, const char* file, int line,
               const std::string& message) {
  if (std::string field = FieldOf(message); !field.empty()) {
    field_not_utf8 = std::move(field);
  } else if (level >= google::protobuf::LOGLEVEL_WARNING) {
    std::fprintf(stderr, "protobuf: %s:%d: %s\n", file, line, message.c_str());
  }
}

grpc::Status Explain(const std::string& field, const char* method) {
  if (!field.empty()) {
    return ToGrpc(InvalidField(field, "is not UTF-8, as texts in messages must be"));
  }
  return {grpc::StatusCode::INVALID_ARGUMENT,
          Cat("the request is not the message that ", method, " takes")};
}

class Explainer final : public experimental::Interceptor {
 public:
  explicit Explainer(const experimental::ServerRpcInfo& call) : call_(call) {}

  void Intercept(experimental::InterceptorBatchMethods* methods) override {
    using Hook = experimental::InterceptionHookPoints;
    const bool unary_request = call_.type() == experimental::ServerRpcInfo::Type::UNARY ||
                               call_.type() == experimental::ServerRpcInfo::Type::SERVER_STREAMING;
    if (unary_request && methods->QueryInterceptionHookPoint(Hook::POST_RECV_MESSAGE)) {
      unreadable_ = methods->GetRecvMessage() == nullptr;
      field_ = std::exchange(field_not_utf8, "");
    }
    if (unreadable_ && methods->QueryInterceptionHookPoint(Hook::PRE_SEND_STATUS)) {
      methods->ModifySendStatus(Explain(field_, call_.method()));
    }
    methods->Proceed();
  }

 private:
  const experimental::ServerRpcInfo& call_;
  bool unreadable_ = false;
  std::string field_;
};

class ExplainerFactory final : public experimental::ServerInterceptorFactoryInterface {
 public:
  experimental::Interceptor* CreateServerInterceptor(experimental::ServerRpcInfo* call) override {
    return new Explainer(*call);
  }
};

}  // namespace

std::unique_ptr<experimental::ServerInterceptorFactoryInterface> ExplainUnreadableRequests() {
  static std::once_flag once;
  std::call_once(once, [] { google::protobuf::SetLogHandler(HandleLog); });
  return std::make_unique<ExplainerFactory>();
}

}  // namespace gocomet::controlplane
