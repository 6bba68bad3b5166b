#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <google/protobuf/message.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

namespace gocomet::ctl {

// What the fake answers to one call: its messages, then its status.
struct Answer {
  static Answer With(const google::protobuf::Message& message);
  static Answer Stream(const std::vector<const google::protobuf::Message*>& messages);
  // With the serialised v1::ErrorStatus that a control plane sends along.
  static Answer Error(grpc::StatusCode code, const std::string& message,
                      const std::string& details = "");

  std::vector<std::string> messages;
  grpc::Status status;
  // Once the messages are sent the call goes on until its client ends it.
  bool stays_open = false;
};

// A control plane that answers by script, over real gRPC on a loopback port of its own. Methods are
// named `WorkerService/ListWorkers`. A method without a script answers UNIMPLEMENTED. Any thread.
class FakeControlPlane final : private grpc::CallbackGenericService {
 public:
  FakeControlPlane();
  // Ends every call at once.
  ~FakeControlPlane() override;

  const std::string& address() const { return address_; }

  // One answer for each call in turn; the last one answers all that follow.
  void Script(const std::string& method, std::vector<Answer> answers);
  void Script(const std::string& method, const google::protobuf::Message& message) {
    Script(method, std::vector<Answer>{Answer::With(message)});
  }

  // What was asked, in order.
  template <typename Request>
  std::vector<Request> Requests(const std::string& method) {
    const std::lock_guard hold(mutex_);
    std::vector<Request> requests;
    for (const std::string& text : requests_[method]) {
      requests.emplace_back().ParseFromString(text);
    }
    return requests;
  }
  // The `authorization` header of each call.
  std::vector<std::string> Tokens();

 private:
  class Call;

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;
  Answer Take(const std::string& method, const std::string& request);

  std::string address_;
  std::unique_ptr<grpc::Server> server_;

  std::mutex mutex_;  // Guards everything below.
  std::map<std::string, std::vector<Answer>> scripts_;
  std::map<std::string, std::vector<std::string>> requests_;
  std::vector<std::string> tokens_;
};

}  // namespace gocomet::ctl
