#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/dataplane/loopback.h"
#include "tests/end_to_end/process.h"

// What a balancer, as a process, holds in memory while one side is slower than the other.
namespace gocomet::testing {
namespace {

using dataplane::Door;
using dataplane::Peer;

constexpr size_t kBodyBytes = size_t{64} << 20;
constexpr size_t kPartBytes = size_t{1} << 20;
constexpr int64_t kGrowthMaxKib = 1024;
constexpr char kLastOk[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

// How the length of a body is told.
enum class Framing { kLength, kChunks };

struct Body {
  std::string end_of_head;
  std::string bytes;  // With the lines of its chunks, where it has any.
};

Body MakeBody(Framing framing) {
  const std::string data(kBodyBytes, 'x');
  if (framing == Framing::kLength) return {Cat("Content-Length: ", kBodyBytes, "\r\n\r\n"), data};
  Body body{"Transfer-Encoding: chunked\r\n\r\n", ""};
  for (size_t at = 0; at < kBodyBytes; at += kPartBytes) {
    body.bytes.append("100000\r\n").append(data, at, kPartBytes).append("\r\n");
  }
  body.bytes.append("0\r\n\r\n");
  return body;
}

// A body on its way from one who sends all that is taken to one who reads a part now and then, so
// that whatever lies between them is full.
class Flow {
 public:
  Flow(Peer& from, Peer& to, std::string_view bytes) : from_(from), to_(to), bytes_(bytes) {}

  bool done() const { return read_ == bytes_.size(); }
  size_t sent() const { return sent_; }
  void Send() { sent_ += from_.SendWhatFits(bytes_.substr(sent_)); }
  // Until no more is taken, though nobody reads.
  void SendUntilFull() {
    const auto more_is_taken = [this] {
      const size_t before = sent_;
      Send();
      return sent_ > before;
    };
    while (WaitUntil(more_is_taken, std::chrono::milliseconds(200))) {
    }
  }
  void ReadPart() {
    const std::string_view expected = bytes_.substr(read_, kPartBytes);
    EXPECT_TRUE(to_.ReadExactly(expected.size()) == expected) << "after " << read_ << " bytes";
    read_ += expected.size();
  }

 private:
  Peer& from_;
  Peer& to_;
  const std::string_view bytes_;
  size_t sent_ = 0;
  size_t read_ = 0;
};

class BoundedMemory : public ::testing::TestWithParam<Framing> {
 protected:
  BoundedMemory() : reservation_(ReservePorts()) {
    char name[] = "/tmp/gocomet-memory-XXXXXX";
    directory_ = ::mkdtemp(name);
    pid_ = Spawn({Program("gocomet-balancer"), "--listen", address_.ToString(), "--worker",
                  door_.address().ToString()},
                 output_file(), "");
    EXPECT_TRUE(WaitUntil([this] { return Says("listens on"); })) << output();
  }
  ~BoundedMemory() override {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(directory_);
  }

  std::string output_file() const { return directory_ + "/output"; }
  std::string output() const { return ReadFile(output_file()).value_or(""); }
  bool Says(const std::string& text) const { return output().find(text) != std::string::npos; }

  // The next connection that brings a request, and no health check.
  Peer AcceptRequest() {
    while (true) {
      Peer worker = door_.Accept();
      char byte = 0;
      const auto is_told = [&] { return ::recv(worker.fd(), &byte, 1, MSG_PEEK) >= 0; };
      if (!worker.valid() || !WaitUntil(is_told)) return {};
      if (::recv(worker.fd(), &byte, 1, MSG_PEEK) == 1) return worker;
    }
  }
  // A client and its worker, who have read and sent the head of a request.
  struct Pair {
    Peer client;
    Peer worker;
  };
  Pair Meet(std::string_view method, std::string_view end_of_head) {
    Pair pair{Peer::ConnectTo(address_), {}};
    pair.client.Send(Cat(method, " / HTTP/1.1\r\nHost: h\r\n", end_of_head));
    pair.worker = AcceptRequest();
    pair.worker.ReadHead();
    return pair;
  }

  // A figure of /proc/PID/status, in KiB.
  int64_t Memory(const std::string& name) const {
    std::istringstream in(ReadFile(Cat("/proc/", pid_, "/status")).value_or(""));
    for (std::string key; in >> key; in.ignore(1000, '\n')) {
      int64_t kib = 0;
      if (key == name + ":" && in >> kib) return kib;
    }
    ADD_FAILURE() << "/proc/" << pid_ << "/status says no " << name << "; " << output();
    return 0;
  }
  // From now on VmHWM is the highest that it came to since (proc(5), clear_refs).
  void ForgetThePeak() const { std::ofstream(Cat("/proc/", pid_, "/clear_refs")) << 5; }

  UniqueFd reservation_;
  const Address address_ = *Address::FromIpAndPort("127.0.0.1", FirstOf(reservation_));
  Door door_;
  std::string directory_;
  int pid_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Of, BoundedMemory, ::testing::Values(Framing::kLength, Framing::kChunks),
                         [](const auto& framing) {
                           return framing.param == Framing::kLength ? "BodiesOfKnownLength"
                                                                    : "BodiesInChunks";
                         });

TEST_P(BoundedMemory, DoesNotGrowWhereOneSideIsSlow) {
  const Body body = MakeBody(GetParam());
  Pair first = Meet("GET", "\r\n");
  first.worker.Send(kLastOk);
  EXPECT_EQ(first.client.ReadUntil("ok").substr(0, 15), "HTTP/1.1 200 OK");
  first.worker.Close();
  ForgetThePeak();
  const int64_t before = Memory("VmRSS");

  Pair up = Meet("POST", body.end_of_head);
  Pair down = Meet("GET", "\r\n");
  down.worker.Send(Cat("HTTP/1.1 200 OK\r\n", body.end_of_head));
  down.client.ReadHead();
  Flow upload(up.client, up.worker, body.bytes);
  Flow download(down.worker, down.client, body.bytes);
  for (Flow* flow : {&upload, &download}) {
    flow->SendUntilFull();
    EXPECT_LT(flow->sent(), kBodyBytes / 2) << "nobody reads, and yet more and more is taken";
  }
  while (!upload.done() || !download.done()) {
    for (Flow* flow : {&upload, &download}) {
      flow->Send();
      flow->ReadPart();
    }
  }
  const int64_t peak = Memory("VmHWM");
  RecordProperty("resident_kib_before", std::to_string(before));
  RecordProperty("resident_kib_peak", std::to_string(peak));
  EXPECT_LT(peak - before, kGrowthMaxKib)
      << "resident memory rose from " << before << " to " << peak << " KiB while " << kBodyBytes
      << " bytes went each way: they were kept, not passed on";
}

}  // namespace
}  // namespace gocomet::testing
