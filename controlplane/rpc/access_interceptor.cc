#include "controlplane/rpc/access_interceptor.h"

#include <string>
#include <string_view>
#include <utility>

#include <absl/status/status.h>

#include "common/base/text.h"
#include "controlplane/rpc/call_context.h"
#include "controlplane/rpc/request_summary.h"

namespace gocomet::controlplane {
namespace {

namespace experimental = grpc::experimental;
using Hook = experimental::InterceptionHookPoints;

constexpr std::string_view kOurPackage = "/gocomet.v1.";
constexpr std::string_view kReflection = "/grpc.reflection.";

// `/gocomet.v1.WorkerService/DrainWorker` as people know it.
std::string_view ShortName(std::string_view method) {
  return method.substr(method.starts_with(kOurPackage) ? kOurPackage.size() : 1);
}

std::string NameOf(grpc::StatusCode code) {
  // Both are the canonical codes, with the same numbers.
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

bool IsDenial(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
         status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
}

class AccessInterceptor final : public experimental::Interceptor {
 public:
  AccessInterceptor(Gatekeeper& gatekeeper, const std::function<void(Event)>& record,
                    experimental::ServerRpcInfo& call)
      : gatekeeper_(gatekeeper),
        record_(record),
        call_(call),
        rule_(RuleOf(PathOf(call))),
        context_(dynamic_cast<CallContext*>(call.server_context())) {}

  void Intercept(experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(Hook::POST_RECV_INITIAL_METADATA)) Judge();
    if (rule_.is_change && methods->QueryInterceptionHookPoint(Hook::POST_RECV_MESSAGE)) {
      const auto* request =
          static_cast<const google::protobuf::Message*>(methods->GetRecvMessage());
      if (request != nullptr) request_ = SummarizeRequest(*request);
    }
    if (methods->QueryInterceptionHookPoint(Hook::PRE_SEND_STATUS)) BeforeStatus(*methods);
    methods->Proceed();
  }

 private:
  bool is_stream() const { return call_.type() != experimental::ServerRpcInfo::Type::UNARY; }
  // gRPC names no method where it does not exist.
  static std::string_view PathOf(const experimental::ServerRpcInfo& call) {
    return call.method() == nullptr ? std::string_view() : call.method();
  }
  // Health and reflection are gRPC's own, and ask nobody for a verdict. The context of a method of
  // ours that has no rule keeps the verdict that it was made with, and lets nobody in.
  bool is_ours() const { return context_ != nullptr && rule_.method.starts_with(kOurPackage); }

  void Judge() {
    if (rule_.method.empty()) return;
    verdict_ = Decide();
    if (IsDenial(verdict_)) RecordDenial();
    if (is_ours()) {
      context_->caller = caller_;
      context_->verdict = verdict_;
      context_->gatekeeper = &gatekeeper_;
    } else if (!verdict_.ok()) {
      // Nobody there asks for the verdict.
      call_.server_context()->TryCancel();
    }
  }

  grpc::Status Decide() {
    grpc::Status recognized = gatekeeper_.Recognize(*call_.server_context(), caller_);
    std::chrono::milliseconds retry_after{0};
    if (grpc::Status counted = gatekeeper_.CountCall(caller_, retry_after); !counted.ok()) {
      // Where clients retry by themselves they wait as long (gRFC A6).
      if (is_ours()) {
        call_.server_context()->AddTrailingMetadata("grpc-retry-pushback-ms",
                                                    std::to_string(retry_after.count()));
      }
      return counted;
    }
    if (!recognized.ok()) return recognized;
    if (grpc::Status allowed = gatekeeper_.Allow(caller_, rule_); !allowed.ok()) return allowed;
    if (!is_stream()) return grpc::Status::OK;
    const bool is_reflection = rule_.method.starts_with(kReflection);
    return gatekeeper_.CountStream(caller_, is_reflection, places_);
  }

  void BeforeStatus(experimental::InterceptorBatchMethods& methods) {
    if (!verdict_.ok()) {
      // A request that cannot be read is answered without the method: the verdict goes first. A
      // method that did not ask for it has done its work, and must not be taken for one that did.
      const grpc::Status status = methods.GetSendStatus();
      if (is_ours() && !context_->is_obeyed && status.ok()) {
        methods.ModifySendStatus(
            {grpc::StatusCode::INTERNAL, Cat(rule_.method, " answers without asking who calls")});
      } else {
        methods.ModifySendStatus(verdict_);
      }
    } else if (rule_.is_change && is_ours()) {
      RecordChange(methods.GetSendStatus());
    }
  }

  void RecordChange(const grpc::Status& status) {
    std::string text = Cat(ShortName(rule_.method), request_.fields);
    if (!request_.author.empty() && request_.author != caller_.name) {
      text += Cat(" for ", request_.author);
    }
    text += Cat(": ", NameOf(status.error_code()));
    if (status.ok()) {
      record_({0, {}, Severity::kInfo, caller_.Key(), "Audit", std::move(text)});
      return;
    }
    // What failed changed nothing; a script that fails for ever must not push out everything else.
    const auto left_out = gatekeeper_.ReportDenial();
    if (!left_out) return;
    record_({0, {}, Severity::kWarning, caller_.Key(), "Audit", text + LeftOut(*left_out)});
  }

  void RecordDenial() {
    const auto left_out = gatekeeper_.ReportDenial();
    if (!left_out) return;
    const std::string why = caller_.role == Role::kNobody && caller_.name.empty()
                                ? std::string("without a token that is good for it")
                                : Cat("as ", ToString(caller_.role));
    record_(
        {0,
         {},
         Severity::kWarning,
         caller_.Key(),
         "AccessDenied",
         Cat(ShortName(rule_.method), " ", why, ", from ", caller_.address, LeftOut(*left_out))});
  }

  static std::string LeftOut(uint64_t count) {
    return count == 0 ? "" : Cat("; ", count, " more that failed or were denied are not shown");
  }

  Gatekeeper& gatekeeper_;
  const std::function<void(Event)>& record_;
  experimental::ServerRpcInfo& call_;
  const MethodRule& rule_;
  CallContext* const context_;  // Null where the method is gRPC's own.
  Caller caller_;
  grpc::Status verdict_;
  RequestSummary request_;
  std::shared_ptr<void> places_;  // Of a stream, for as long as the call lives.
};

class AccessInterceptors final : public experimental::ServerInterceptorFactoryInterface {
 public:
  AccessInterceptors(Gatekeeper& gatekeeper, std::function<void(Event)> record)
      : gatekeeper_(gatekeeper), record_(std::move(record)) {}

  experimental::Interceptor* CreateServerInterceptor(experimental::ServerRpcInfo* call) override {
    return new AccessInterceptor(gatekeeper_, record_, *call);
  }

 private:
  Gatekeeper& gatekeeper_;
  const std::function<void(Event)> record_;
};

}  // namespace

std::unique_ptr<experimental::ServerInterceptorFactoryInterface> MakeAccessInterceptors(
    Gatekeeper& gatekeeper, std::function<void(Event)> record) {
  return std::make_unique<AccessInterceptors>(gatekeeper, std::move(record));
}

}  // namespace gocomet::controlplane
