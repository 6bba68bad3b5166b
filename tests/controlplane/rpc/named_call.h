#pragma once

#include <memory>
#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {

// A call of a method by its path, `/PACKAGE.SERVICE/METHOD`, with any messages; each step waits
// until it is done.
template <typename Request, typename Response>
class NamedCall {
 public:
  NamedCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method)
      : stub_(channel), stream_(stub_.PrepareCall(&call_, method, &queue_)) {
    stream_->StartCall(nullptr);
    Done();
  }
  ~NamedCall() {
    if (!finished_) {
      call_.TryCancel();
      Finish();
    }
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  bool Write(const Request& request) {
    stream_->Write(request, nullptr);
    return Done();
  }
  bool WritesDone() {
    stream_->WritesDone(nullptr);
    return Done();
  }
  bool Read(Response* response) {
    stream_->Read(response, nullptr);
    return Done();
  }
  grpc::Status Finish() {
    finished_ = true;
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Done();
    return status;
  }

 private:
  bool Done() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  Call call_;
  grpc::CompletionQueue queue_;
  grpc::TemplatedGenericStub<Request, Response> stub_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> stream_;
  bool finished_ = false;
};

}  // namespace gocomet::controlplane
