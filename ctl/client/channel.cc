#include "ctl/client/channel.h"

#include <string>
#include <string_view>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "ctl/client/call_error.h"

namespace gocomet::ctl {
namespace {

// Errors of a config with many problems travel in the trailers, whose limit is 8 KiB by default.
constexpr int kTrailersBytesMax = 4 << 20;
constexpr int kMessageBytesMax = 64 << 20;

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Tls& tls) {
  if (!tls.enabled) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({tls.authorities, tls.key, tls.certificate});
}

std::shared_ptr<grpc::Channel> Open(const ServerAddress& server, const Tls& tls) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kTrailersBytesMax);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  // The control plane is on this machine or next to it, never behind the web's proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!tls.server_name.empty()) arguments.SetSslTargetNameOverride(tls.server_name);
  return grpc::CreateCustomChannel(server.target, CredentialsOf(tls), arguments);
}

// gRPC names the peer and the attempt; the part after the last `: ` says what the system answered.
std::string Cause(std::string_view message) {
  const size_t start = message.rfind(": ");
  return std::string(start == std::string_view::npos ? message : message.substr(start + 2));
}

std::string Unreachable(const ServerAddress& server, const Tls& tls, std::string_view cause) {
  if (tls.enabled && cause.find("SSL") != std::string_view::npos) {
    return Cat(
        "the control plane at ", server.text, " cannot be trusted (", cause,
        ")\nname the authority of its certificate with --tls-ca FILE, and the name in it with "
        "--tls-server-name where that is not the address");
  }
  return Cat("no control plane answers at ", server.text, " (", cause,
             ")\nstart one with `gocomet-controlplane --config config.yaml`, or name the one that "
             "runs with --server ADDRESS or GOCOMET_SERVER",
             tls.enabled ? "" : "; where it speaks TLS, name its authority with --tls-ca FILE");
}

}  // namespace

Channel::Channel(ControlPlane::Options options)
    : options_(std::move(options)), channel_(Open(options_.server, options_.tls)) {}

Channel::Running::Running(Channel& owner, std::optional<std::chrono::milliseconds> timeout)
    : channel(owner) {
  if (timeout) context.set_deadline(std::chrono::system_clock::now() + *timeout);
  if (!owner.options_.token.empty()) {
    context.AddMetadata("authorization", "Bearer " + owner.options_.token);
  }
  const std::lock_guard hold(owner.mutex_);
  owner.running_ = &context;
  if (owner.cancelled_) context.TryCancel();
}

Channel::Running::~Running() {
  const std::lock_guard hold(channel.mutex_);
  channel.running_ = nullptr;
}

void Channel::Cancel() {
  const std::lock_guard hold(mutex_);
  cancelled_ = true;
  if (running_ != nullptr) running_->TryCancel();
}

absl::Status Channel::Explain(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  const bool connected = channel_->GetState(false) == GRPC_CHANNEL_READY;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !connected) {
    return absl::UnavailableError(
        Unreachable(options_.server, options_.tls, Cause(status.error_message())));
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    const std::string patience = FormatDuration(options_.call_timeout);
    if (!connected) {
      return absl::UnavailableError(
          Unreachable(options_.server, options_.tls, Cat("no answer within ", patience)));
    }
    return absl::DeadlineExceededError(
        Cat("the control plane at ", options_.server.text, " did not answer within ", patience,
            "; what was asked for may still happen. Look with `gocometctl status`, and allow more "
            "with --timeout"));
  }
  // Both are the canonical codes, with the same numbers.
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  return WithDetails(absl::Status(code, status.error_message()), status.error_details());
}

}  // namespace gocomet::ctl
