#include "common/probe/prober.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet {
namespace {

using std::chrono::milliseconds;

// A listener on 127.0.0.1 that may answer every connection with one text, on its own thread.
class Worker {
 public:
  // Without an answer it takes no connection from its queue.
  explicit Worker(std::string answer = "", int backlog = 16) : answer_(std::move(answer)) {
    fd_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address any = *Address::FromIpAndPort("127.0.0.1", 0);
    EXPECT_EQ(::bind(fd_.get(), any.socket_address(), any.socket_address_length()), 0);
    EXPECT_EQ(::listen(fd_.get(), backlog), 0);
    sockaddr_in in{};
    socklen_t length = sizeof(in);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&in), &length);
    address_ = Address::FromIpAndPort("127.0.0.1", ntohs(in.sin_port))->ToString();
    if (!answer_.empty()) thread_ = std::thread([this] { Answer(); });
  }
  ~Worker() { Close(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const std::string& address() const { return address_; }
  // The bytes that came last before an answer.
  std::string last_request() {
    const std::lock_guard hold(mutex_);
    return last_request_;
  }
  void Close() {
    if (!fd_.valid()) return;
    ::shutdown(fd_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    fd_.Reset();
  }

 private:
  void Answer() {
    while (true) {
      const UniqueFd client(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      char request[1024];
      const ssize_t got = ::recv(client.get(), request, sizeof(request), 0);
      if (got <= 0) continue;
      {
        const std::lock_guard hold(mutex_);
        last_request_.assign(request, static_cast<size_t>(got));
      }
      ::send(client.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }
  }

  const std::string answer_;
  std::mutex mutex_;
  std::string last_request_;
  std::string address_;
  UniqueFd fd_;
  std::thread thread_;
};

// The results of a prober, waited for.
class Results {
 public:
  Results()
      : prober_([this](const std::string& name, ProbeResult result) {
          const std::lock_guard hold(mutex_);
          last_[name] = std::move(result);
          changed_.notify_all();
        }) {}

  void Probe(std::vector<ProbeTarget> targets) { prober_.SetTargets(std::move(targets)); }
  void Forget() {
    const std::lock_guard hold(mutex_);
    last_.clear();
  }
  bool ComesWithin(const std::string& name, milliseconds time) {
    std::unique_lock hold(mutex_);
    return changed_.wait_for(hold, time, [&] { return last_.contains(name); });
  }
  ProbeResult Of(const std::string& name) {
    EXPECT_TRUE(ComesWithin(name, milliseconds(5000))) << "no probe of " << name << " ended";
    const std::lock_guard hold(mutex_);
    return last_[name];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, ProbeResult> last_;
  Prober prober_;
};

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr char kGone[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

TEST(Prober, PassesAWorkerThatAnswersAsExpected) {
  const Worker worker(kOk);
  Results results;
  results.Probe({{"a", worker.address(), "/healthz"}});
  EXPECT_TRUE(results.Of("a").passed);
  EXPECT_EQ(results.Of("a").result, "200");
}

TEST(Prober, AsksByTheMethodThatIsWanted) {
  Worker worker(kOk);
  Results results;
  ProbeTarget target{"a", worker.address(), "/healthz"};
  target.method = "HEAD";
  results.Probe({target});
  EXPECT_TRUE(results.Of("a").passed);
  EXPECT_EQ(results.Of("a").target, Cat("HEAD ", worker.address(), "/healthz"));
  EXPECT_EQ(worker.last_request().find("HEAD /healthz HTTP/1.1\r\n"), 0u) << worker.last_request();
}

TEST(Prober, PassesWhoeverTakesTheConnectionWhereThereIsNoPath) {
  const Worker worker;
  Results results;
  results.Probe({{"a", worker.address()}});
  EXPECT_TRUE(results.Of("a").passed);
}

TEST(Prober, JudgesByTheStatusesThatAreExpected) {
  const Worker worker(kGone);
  Results results;
  results.Probe({{"usual", worker.address(), "/"},
                 {"odd",
                  worker.address(),
                  "/",
                  milliseconds(5000),
                  milliseconds(2000),
                  {{200, 204}, {404, 404}}}});
  EXPECT_FALSE(results.Of("usual").passed);
  EXPECT_FALSE(results.Of("usual").refused);
  EXPECT_FALSE(results.Of("usual").timed_out);
  EXPECT_EQ(results.Of("usual").result, "404");
  EXPECT_TRUE(results.Of("odd").passed);
}

TEST(Prober, TellsRefusalsFromSilence) {
  Worker refusing;
  const std::string address = refusing.address();
  refusing.Close();
  const Worker silent;
  Results results;
  results.Probe({{"refuses", address, "/"},
                 {"nobody", "unix:/nonexistent/socket", "/"},
                 {"silent", silent.address(), "/", milliseconds(5000), milliseconds(50)}});
  EXPECT_TRUE(results.Of("refuses").refused);
  EXPECT_EQ(results.Of("refuses").result, "cannot connect: Connection refused");
  EXPECT_TRUE(results.Of("nobody").refused);
  EXPECT_FALSE(results.Of("silent").refused);
  EXPECT_TRUE(results.Of("silent").timed_out);
  EXPECT_EQ(results.Of("silent").result, "no answer within 50 ms");
}

TEST(Prober, ProbesAllBesideEachOtherSoThatASlowOneDelaysNoOther) {
  const Worker silent;
  const Worker worker(kOk);
  Results results;
  std::vector<ProbeTarget> targets;
  for (int i = 0; i < 50; ++i) {
    targets.push_back(
        {Cat("slow-", i), silent.address(), "/", milliseconds(5000), milliseconds(60'000)});
  }
  targets.push_back({"fast", worker.address(), "/"});
  results.Probe(targets);
  EXPECT_TRUE(results.Of("fast").passed);
}

TEST(Prober, BlamesNoWorkerWhereThisProcessHasNoDescriptorLeft) {
  const Worker worker;
  Results results;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  results.Probe({{"a", worker.address(), "", milliseconds(10)}});
  const bool came = results.ComesWithin("a", milliseconds(60));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(came) << "a probe that was never made gave a result";
  EXPECT_TRUE(results.ComesWithin("a", milliseconds(5000))) << "it is not tried again";
}

}  // namespace
}  // namespace gocomet
