#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "dataplane/handover/successor.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/process.h"

// Balancers that are replaced under full load, as their user does it.
namespace gocomet::testing {
namespace {

using dataplane::HandoverChannel;
using dataplane::HandoverMessage;
using Kind = dataplane::HandoverMessage::Kind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::seconds kPatience{20};

class Handover : public ::testing::Test {
 protected:
  Handover() : reservation_(ReservePorts()), base_(FirstOf(reservation_)) {
    char name[] = "/tmp/gocomet-handover-XXXXXX";
    directory_ = ::mkdtemp(name);
    for (const uint16_t port : {worker_port(0), worker_port(1)}) {
      pids_.push_back(Spawn({Program("gocomet-worker"), "--bind", "127.0.0.1", "--port",
                             std::to_string(port), "--avg-delay", "2", "--failure", "0"},
                            output_file(), ""));
      EXPECT_TRUE(WaitUntil([&] { return HttpGet(port, "/api/v1/hello").ok(); }));
    }
  }
  ~Handover() override {
    for (const int pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    std::filesystem::remove_all(directory_);
  }

  uint16_t port() const { return base_; }
  uint16_t worker_port(int i) const { return static_cast<uint16_t>(base_ + 1 + i); }
  std::string address() const { return Cat("127.0.0.1:", port()); }
  std::string door() const { return Cat("unix:", directory_, "/socket"); }
  std::string output_file() const { return directory_ + "/output.log"; }
  std::string output() const { return ReadFile(output_file()).value_or(""); }

  bool Says(const std::string& text) const { return output().find(text) != std::string::npos; }

  int StartBalancer(int threads) { return StartBalancer(threads, address()); }
  int StartBalancer(int threads, const std::string& listen) {
    pids_.push_back(Spawn({Program("gocomet-balancer"), "--listen", listen, "--threads",
                           std::to_string(threads), "--worker", Cat("127.0.0.1:", worker_port(0)),
                           "--worker", Cat("127.0.0.1:", worker_port(1)), "--handover", door()},
                          output_file(), ""));
    return pids_.back();
  }
  int StartFirstBalancer(int threads = 1) {
    const int pid = StartBalancer(threads);
    EXPECT_TRUE(WaitUntil([&] { return HttpGet(port(), "/api/v1/hello").ok(); })) << output();
    return pid;
  }
  // Its exit status, as WaitForPid has it.
  std::optional<int> EndOf(int pid) {
    const auto status = WaitForPid(pid, kPatience);
    if (status) std::erase(pids_, pid);
    return status;
  }
  // Whether the process has a socket.
  static bool HasSocket(int pid) {
    std::error_code error;
    for (const auto& fd : std::filesystem::directory_iterator(Cat("/proc/", pid, "/fd"), error)) {
      if (std::filesystem::read_symlink(fd.path(), error).string().starts_with("socket:")) {
        return true;
      }
    }
    return false;
  }
  bool Lives(int pid) { return ::waitpid(pid, nullptr, WNOHANG) == 0; }

  // Clients that keep their connection busy, that let it idle now and then, and that open one for
  // each request.
  struct FullLoad {
    explicit FullLoad(uint16_t port)
        : keeping({port}, "/api/v1/hello", 8),
          pausing({port}, "/api/v1/hello", 8, Load::Connections::kKeepAliveWithPauses),
          opening({port}, "/api/v1/hello", 8, Load::Connections::kNew) {}
    // Many requests of each kind from now on.
    bool GoesOn() {
      const uint64_t kept = keeping.answered();
      const uint64_t paused = pausing.answered();
      const uint64_t opened = opening.answered();
      return WaitUntil([&] {
        return keeping.answered() >= kept + 100 && pausing.answered() >= paused + 20 &&
               opening.answered() >= opened + 100;
      });
    }
    void ExpectNothingLost() {
      EXPECT_THAT(keeping.Stop().unexpected, IsEmpty());
      EXPECT_THAT(pausing.Stop().unexpected, IsEmpty());
      EXPECT_THAT(opening.Stop().unexpected, IsEmpty());
    }
    Load keeping;
    Load pausing;
    Load opening;
  };

  const UniqueFd reservation_;
  const uint16_t base_;
  std::string directory_;
  std::vector<int> pids_;
};

TEST_F(Handover, TwentyReplacementsUnderFullLoadLoseNoConnectionAndNoRequest) {
  int present = StartFirstBalancer();
  FullLoad load(port());
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(load.GoesOn()) << "replacement " << i << "\n" << output();
    const int next = StartBalancer(i % 3 == 1 ? 2 : 1);
    ASSERT_EQ(EndOf(present), 0) << "replacement " << i << "\n" << output();
    ASSERT_TRUE(Lives(next)) << output();
    present = next;
  }
  ASSERT_TRUE(load.GoesOn()) << output();
  load.ExpectNothingLost();
  EXPECT_EQ(::kill(present, SIGTERM), 0);
  EXPECT_EQ(EndOf(present), 0);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/socket"));
}

// Whether somebody answers there.
bool Serves(const std::string& ip, uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address address = *Address::FromIpAndPort(ip, port);
  return ::connect(fd.get(), address.socket_address(), address.socket_address_length()) == 0;
}

TEST_F(Handover, TenReplacementsOnWiderAndNarrowerAddressesLoseNothingEither) {
  int present = StartFirstBalancer();
  FullLoad load(port());
  for (int i = 1; i <= 10; ++i) {
    const bool wide = i % 2 == 1;
    ASSERT_TRUE(load.GoesOn()) << "replacement " << i << "\n" << output();
    const int next = StartBalancer(1 + i % 3, Cat(wide ? "0.0.0.0" : "127.0.0.1", ":", port()));
    ASSERT_EQ(EndOf(present), 0) << "replacement " << i << "\n" << output();
    ASSERT_TRUE(Lives(next)) << output();
    present = next;
    EXPECT_TRUE(WaitUntil([&] { return Serves("127.0.0.2", port()) == wide; })) << output();
  }
  ASSERT_TRUE(load.GoesOn()) << output();
  load.ExpectNothingLost();
}

TEST_F(Handover, AnAddressThatCannotBeHadChangesNothing) {
  const int present = StartFirstBalancer();
  FullLoad load(port());
  // RFC 5737: for documentation only.
  const int next = StartBalancer(1, Cat("192.0.2.1:", port()));
  EXPECT_EQ(EndOf(next), 1);
  EXPECT_TRUE(Says("cannot listen on 192.0.2.1")) << output();
  ASSERT_TRUE(load.GoesOn()) << output();
  EXPECT_TRUE(Lives(present)) << output();
  const int another = StartBalancer(2);
  EXPECT_EQ(EndOf(present), 0) << output();
  EXPECT_TRUE(Lives(another));
  ASSERT_TRUE(load.GoesOn()) << output();
  load.ExpectNothingLost();
}

TEST_F(Handover, ASuccessorThatEndsBeforeItServesChangesNothing) {
  const int balancer = StartFirstBalancer();
  FullLoad load(port());
  const HandoverMessage take_over = {.kind = Kind::kTakeOver, .text = address()};
  for (int steps = 0; steps < 3; ++steps) {
    {
      HandoverChannel channel = **dataplane::KnockAtHandoverDoor(*Address::Parse(door()));
      if (steps >= 1) {
        ASSERT_TRUE(channel.Send(take_over).ok());
      }
      if (steps >= 2) {
        ASSERT_TRUE(channel.ReceiveWithin(kPatience).ok());
      }
    }
    EXPECT_TRUE(load.GoesOn()) << "after step " << steps;
  }
  // The executable itself, killed while it waits for the sockets of one that is held up.
  ::kill(balancer, SIGSTOP);
  const int successor = StartBalancer(1);
  EXPECT_TRUE(WaitUntil([&] { return HasSocket(successor); }));
  ::kill(successor, SIGKILL);
  EXPECT_EQ(EndOf(successor), 128 + SIGKILL);
  ::kill(balancer, SIGCONT);
  EXPECT_TRUE(load.GoesOn());
  load.ExpectNothingLost();
  EXPECT_TRUE(Lives(balancer));
  EXPECT_THAT(output(), HasSubstr("ended before it served; serves on"));
}

TEST_F(Handover, ASuccessorWithoutWorkersTakesNothingOver) {
  const int balancer = StartFirstBalancer();
  FullLoad load(port());
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/token", "x", 0600).ok());
  pids_.push_back(
      Spawn({Program("gocomet-balancer"), "--listen", address(), "--threads", "2", "--handover",
             door(), "--control-plane", Cat("unix:", directory_, "/none"), "--name", "b",
             "--token-file", directory_ + "/token", "--state-dir", directory_},
            output_file(), ""));
  const int successor = pids_.back();
  EXPECT_TRUE(WaitUntil([&] { return Says("waits for its workers before it takes over"); }));
  // It has the sockets, and dies.
  EXPECT_TRUE(load.GoesOn());
  ::kill(successor, SIGKILL);
  EXPECT_EQ(EndOf(successor), 128 + SIGKILL);
  EXPECT_TRUE(WaitUntil([&] { return Says("ended before it served; serves on"); }));
  EXPECT_TRUE(load.GoesOn());
  load.ExpectNothingLost();
  EXPECT_TRUE(Lives(balancer));
}

// Its name may have had an earlier life, whose workers are long gone.
TEST_F(Handover, ASuccessorTakesNothingOverWithASnapshotThatItHasKept) {
  const int balancer = StartFirstBalancer();
  FullLoad load(port());
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/token", "x", 0600).ok());
  // Its checksum (SHA-256), then nothing: a snapshot without workers.
  const unsigned char none[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/snapshot.binpb",
                                  {reinterpret_cast<const char*>(none), sizeof(none)}, 0600)
                  .ok());
  pids_.push_back(
      Spawn({Program("gocomet-balancer"), "--listen", address(), "--threads", "2", "--handover",
             door(), "--control-plane", Cat("unix:", directory_, "/none"), "--name", "b",
             "--token-file", directory_ + "/token", "--state-dir", directory_},
            output_file(), ""));
  EXPECT_TRUE(WaitUntil([&] { return Says("waits for its workers before it takes over"); }));
  EXPECT_TRUE(load.GoesOn());
  load.ExpectNothingLost();
  EXPECT_TRUE(Lives(balancer));
}

TEST_F(Handover, ABalancerOfAnotherAddressIsRefusedAndSaysWhatToDo) {
  const int balancer = StartFirstBalancer();
  const CommandResult result =
      RunCommand({Program("gocomet-balancer"), "--listen", Cat("127.0.0.1:", base_ + 9), "--worker",
                  Cat("127.0.0.1:", worker_port(0)), "--handover", door()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr(Cat("listens on ", address(), ", not on 127.0.0.1:",
                                           base_ + 9, "; give a --listen with the same port")));
  EXPECT_TRUE(Lives(balancer));
}

}  // namespace
}  // namespace gocomet::testing
