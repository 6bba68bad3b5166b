#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include "ctl/client/control_plane.h"

namespace gocomet::ctl {

// One channel with its deadlines, its token and its way to say what went wrong. Internal to
// ctl/client.
class Channel {
 public:
  explicit Channel(ControlPlane::Options options);

  // Calls `method` of a new stub of the service.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                                const Request& request) {
    Running call(*this, options_.call_timeout);
    Response response;
    const auto stub = Service::NewStub(channel_);
    const grpc::Status status = (stub.get()->*method)(&call.context, request, &response);
    if (!status.ok()) return Explain(status);
    return response;
  }

  template <typename Service, typename Request, typename Message>
  absl::Status Stream(std::unique_ptr<grpc::ClientReader<Message>> (Service::Stub::*method)(
                          grpc::ClientContext*, const Request&),
                      const Request& request, const ControlPlane::Each<Message>& each) {
    Running call(*this, options_.stream_timeout);
    const auto stub = Service::NewStub(channel_);
    const auto reader = (stub.get()->*method)(&call.context, request);
    Message message;
    while (reader->Read(&message)) each(message);
    return Explain(reader->Finish());
  }

  // The same until `each` answers false, which ends the stream as wanted.
  template <typename Service, typename Request, typename Message>
  absl::Status StreamWhile(std::unique_ptr<grpc::ClientReader<Message>> (Service::Stub::*method)(
                               grpc::ClientContext*, const Request&),
                           const Request& request,
                           const std::function<bool(const Message&)>& each) {
    Running call(*this, options_.stream_timeout);
    const auto stub = Service::NewStub(channel_);
    const auto reader = (stub.get()->*method)(&call.context, request);
    Message message;
    while (reader->Read(&message)) {
      if (each(message)) continue;
      call.context.TryCancel();
      reader->Finish();
      return absl::OkStatus();
    }
    return Explain(reader->Finish());
  }

  void Cancel();

 private:
  // The context of the call that runs now, within reach of Cancel.
  struct Running {
    Running(Channel& channel, std::optional<std::chrono::milliseconds> timeout);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    Channel& channel;
    grpc::ClientContext context;
  };

  absl::Status Explain(const grpc::Status& status) const;

  const ControlPlane::Options options_;
  const std::shared_ptr<grpc::Channel> channel_;

  std::mutex mutex_;  // Guards everything below.
  grpc::ClientContext* running_ = nullptr;
  bool cancelled_ = false;
};

}  // namespace gocomet::ctl
