#include "fake_engine.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include <openssl/ssl.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "fake_connection.h"
#include "test_certificates.h"

namespace gocomet::controlplane {
namespace {

constexpr int kTickMilliseconds = 5;
constexpr char kTlsHandshake = 0x16;  // The first byte that a client of TLS sends.
constexpr char kVersion[] = R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})";

size_t BodyLengthIn(const std::string& head) {
  const size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

UniqueFd ListenTcp(uint16_t port) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const auto address = Address::FromIpAndPort("127.0.0.1", port);
  EXPECT_EQ(::bind(listener.get(), address->socket_address(), address->socket_address_length()), 0);
  EXPECT_EQ(::listen(listener.get(), 64), 0);
  return listener;
}

SSL_CTX* ServerContext(const std::string& directory) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  EXPECT_EQ(SSL_CTX_use_certificate_file(context, Cat(directory, "/server-cert.pem").c_str(),
                                         SSL_FILETYPE_PEM),
            1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, Cat(directory, "/server-key.pem").c_str(),
                                        SSL_FILETYPE_PEM),
            1);
  EXPECT_EQ(SSL_CTX_load_verify_file(context, Cat(directory, "/ca.pem").c_str()), 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

std::string Chunk(std::string_view text) {
  char length[17];
  (void)std::snprintf(length, sizeof(length), "%zx", text.size());
  return Cat(length, "\r\n", text, "\r\n");
}

}  // namespace

FakeEngine::FakeEngine(Handler handler, Transport transport)
    : socket_(transport == Transport::kUnix ? directory_.path() + "/docker.sock" : ""),
      port_(transport == Transport::kUnix ? 0 : FreePort()),
      tls_(nullptr),
      handler_(std::move(handler)),
      version_body_(kVersion) {
  ComeUp();
}

FakeEngine::FakeEngine(Handler handler, const TestCertificates& certificates)
    : port_(FreePort()),
      tls_(ServerContext(certificates.directory)),
      handler_(std::move(handler)),
      version_body_(kVersion) {
  ComeUp();
}

FakeEngine::~FakeEngine() {
  ending_ = true;
  if (acceptor_.joinable()) GoDown();
  if (tls_ != nullptr) SSL_CTX_free(static_cast<SSL_CTX*>(tls_));
}

std::string FakeEngine::host() const {
  return socket_.empty() ? Cat("tcp://127.0.0.1:", port_) : "unix://" + socket_;
}

void FakeEngine::GoDown() {
  down_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  connections_.clear();
  listener_.Reset();
  if (!socket_.empty()) ::unlink(socket_.c_str());
}

void FakeEngine::ComeUp() {
  listener_ = socket_.empty() ? ListenTcp(port_) : ListenUnix(socket_);
  down_ = false;
  acceptor_ = std::thread([this] { Accept(); });
}

std::vector<FakeEngine::Request> FakeEngine::requests() const {
  const std::lock_guard hold(mutex_);
  return requests_;
}

size_t FakeEngine::CountOf(const std::string& method, const std::string& target_begin) const {
  const std::vector<Request> all = requests();
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const Request& request) {
    return request.Is(method, target_begin);
  }));
}

void FakeEngine::Accept() {
  while (!ends()) {
    pollfd ready{listener_.get(), POLLIN, 0};
    if (::poll(&ready, 1, kTickMilliseconds) <= 0) continue;
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++open_;
    connections_.emplace_back([this, fd] {
      {
        FakeConnection connection(UniqueFd(fd), tls_);
        if (connection.Open()) Serve(connection);
      }
      --open_;
    });
  }
}

bool FakeEngine::ReadRequest(FakeConnection& connection, Request& request) const {
  std::string text;
  while (!ends()) {
    const FakeConnection::Got got = connection.Read(&text);
    if (got == FakeConnection::Got::kNothing) continue;
    if (got == FakeConnection::Got::kEnd) return false;
    if (text.front() == kTlsHandshake) {
      connection.Send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request");
      return false;
    }
    const size_t head_end = text.find("\r\n\r\n");
    if (head_end == std::string::npos) continue;
    const std::string head = text.substr(0, head_end);
    if (text.size() < head_end + 4 + BodyLengthIn(head)) continue;
    const size_t target = head.find(' ') + 1;
    request.method = head.substr(0, target - 1);
    request.target = head.substr(target, head.find(' ', target) - target);
    request.body = text.substr(head_end + 4);
    if (request.target.rfind("/v1.", 0) == 0) {
      const size_t end = request.target.find('/', 1);
      request.version = request.target.substr(2, end - 2);
      request.target.erase(0, end);
    }
    return true;
  }
  return false;
}

void FakeEngine::WaitWhile(FakeConnection& connection, const std::function<bool()>& waits) const {
  std::string ignored;
  while (!ends() && waits()) {
    if (connection.Read(&ignored) == FakeConnection::Got::kEnd) return;  // The client has gone.
  }
}

FakeEngine::Answer FakeEngine::AnswerTo(const Request& request) {
  {
    const std::lock_guard hold(mutex_);
    requests_.push_back(request);
  }
  if (request.target == "/version" && !version_body_.empty()) return Answer{200, version_body_};
  return handler_(request);
}

void FakeEngine::Serve(FakeConnection& connection) {
  using Fault = Answer::Fault;
  Request request;
  if (!ReadRequest(connection, request)) return;
  const int cuts = cuts_;
  const Answer answer = AnswerTo(request);
  if (answer.fault == Fault::kHang) return WaitWhile(connection, [] { return true; });
  const auto send_at = std::chrono::steady_clock::now() + answer.delay;
  WaitWhile(connection, [&] { return std::chrono::steady_clock::now() < send_at; });
  if (answer.fault == Fault::kLost || ends()) return;
  const std::string head =
      Cat("HTTP/1.1 ", answer.status, " Answer\r\nApi-Version: 1.41\r\nConnection: close\r\n");
  if (answer.fault == Fault::kStreamUntilRelease) {
    connection.Send(Cat(head, "\r\n", answer.body));
    return WaitWhile(connection, [&] {
      if (answer.more) connection.Send(answer.more());
      return !released_ && cuts_ == cuts;
    });
  }
  if (answer.fault == Fault::kCutChunk) {
    const std::string chunk = Chunk(answer.body);
    return connection.Send(Cat(head, "Transfer-Encoding: chunked\r\n\r\n",
                               std::string_view(chunk).substr(0, chunk.size() / 2)));
  }
  const size_t missing = answer.fault == Fault::kCut ? 10 : 0;
  connection.Send(
      Cat(head, "Content-Length: ", answer.body.size() + missing, "\r\n\r\n", answer.body));
}

}  // namespace gocomet::controlplane
