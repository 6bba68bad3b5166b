#include "tests/ctl/fake_control_plane.h"

#include <chrono>
#include <utility>

namespace gocomet::ctl {
namespace {

std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

grpc::ByteBuffer BufferOf(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

}  // namespace

Answer Answer::With(const google::protobuf::Message& message) { return Stream({&message}); }

Answer Answer::Stream(const std::vector<const google::protobuf::Message*>& messages) {
  Answer answer;
  for (const auto* message : messages) answer.messages.push_back(message->SerializeAsString());
  return answer;
}

Answer Answer::Error(grpc::StatusCode code, const std::string& message,
                     const std::string& details) {
  Answer answer;
  answer.status = grpc::Status(code, message, details);
  return answer;
}

// Reads one request, writes the messages of its answer one after another, and finishes once.
class FakeControlPlane::Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(FakeControlPlane& owner, std::string method) : owner_(owner), method_(std::move(method)) {
    StartRead(&buffer_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return FinishOnce({grpc::StatusCode::INTERNAL, "no request"});
    answer_ = owner_.Take(method_, TextOf(buffer_));
    WriteNext();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return FinishOnce(grpc::Status::CANCELLED);
    WriteNext();
  }
  void OnCancel() override { FinishOnce(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (next_ < answer_.messages.size()) {
      buffer_ = BufferOf(answer_.messages[next_++]);
      StartWrite(&buffer_);
      return;
    }
    if (!answer_.stays_open) FinishOnce(answer_.status);
  }

  void FinishOnce(const grpc::Status& status) {
    {
      const std::lock_guard hold(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    Finish(status);
  }

  FakeControlPlane& owner_;
  const std::string method_;
  grpc::ByteBuffer buffer_;
  Answer answer_;
  size_t next_ = 0;
  std::mutex mutex_;  // Guards `finished_`.
  bool finished_ = false;
};

FakeControlPlane::FakeControlPlane() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FakeControlPlane::~FakeControlPlane() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void FakeControlPlane::Script(const std::string& method, std::vector<Answer> answers) {
  const std::lock_guard hold(mutex_);
  scripts_[method] = std::move(answers);
}

std::vector<std::string> FakeControlPlane::Tokens() {
  const std::lock_guard hold(mutex_);
  return tokens_;
}

grpc::ServerGenericBidiReactor* FakeControlPlane::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  {
    const std::lock_guard hold(mutex_);
    const auto [begin, end] = context->client_metadata().equal_range("authorization");
    for (auto token = begin; token != end; ++token) {
      tokens_.emplace_back(token->second.data(), token->second.size());
    }
  }
  const std::string prefix = "/gocomet.v1.";
  return new Call(*this, context->method().substr(prefix.size()));
}

Answer FakeControlPlane::Take(const std::string& method, const std::string& request) {
  const std::lock_guard hold(mutex_);
  requests_[method].push_back(request);
  std::vector<Answer>& answers = scripts_[method];
  if (answers.empty()) {
    return Answer::Error(grpc::StatusCode::UNIMPLEMENTED, method + " has no script");
  }
  Answer answer = answers.front();
  if (answers.size() > 1) answers.erase(answers.begin());
  return answer;
}

}  // namespace gocomet::ctl
