#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "dataplane/handover/listening_address.h"
#include "dataplane/handover/predecessor.h"
#include "dataplane/handover/successor.h"
#include "dataplane/shard/event_loop.h"
#include "dataplane/shard/shard.h"
#include "tests/dataplane/loopback.h"

// Both sides of a hand-over, each with the other one played by hand.
namespace gocomet::dataplane {
namespace {

using Kind = HandoverMessage::Kind;
using std::chrono::milliseconds;
using testing::Contains;
using testing::HasSubstr;

constexpr milliseconds kShort{50};

// A directory of its own, an address to listen on, and a loop that runs.
class Handover : public testing::Test {
 protected:
  Handover() {
    char name[] = "/tmp/gocomet-handover-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = *Address::Parse(Cat("unix:", directory_, "/socket"));
    listen_ = FreeAddress();
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~Handover() override {
    OnLoop([this] {
      predecessor_.reset();
      succession_.reset();
    });
    loop_.Stop();
    thread_.join();
    std::filesystem::remove_all(directory_);
  }

  void OnLoop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  // A balancer that waits for its successor.
  void StartPredecessor(PredecessorPatience patience = {}, int listeners = 2) {
    if (listeners > 0) listeners_ = *ListenAlone(listen_, listeners);
    OnLoop([&] {
      predecessor_ = std::make_unique<Predecessor>(
          loop_, *OpenHandoverDoor(path_), path_, listen_,
          Predecessor::Hooks{.listening =
                                 [this] {
                                   std::vector<int> fds;
                                   for (const UniqueFd& fd : listeners_) fds.push_back(fd.get());
                                   return fds;
                                 },
                             .succeeded = [this](pid_t) { succeeded_ = true; },
                             .say =
                                 [this](const std::string& line) {
                                   const std::lock_guard hold(mutex_);
                                   said_.push_back(line);
                                 }},
          patience);
    });
  }
  std::vector<std::string> said() {
    const std::lock_guard hold(mutex_);
    return said_;
  }
  bool Says(const std::string& text) {
    return Eventually([&] {
      for (const std::string& line : said()) {
        if (line.find(text) != std::string::npos) return true;
      }
      return false;
    });
  }

  HandoverChannel Knock() {
    auto channel = KnockAtHandoverDoor(path_);
    EXPECT_TRUE(channel.ok() && *channel) << channel.status();
    return **std::move(channel);
  }
  // Waits for a message of this kind; gives its text.
  static std::string Expect(HandoverChannel& channel, Kind kind) {
    auto received = channel.ReceiveWithin(kPatience);
    if (!received.ok()) {
      ADD_FAILURE() << received.status();
      return "";
    }
    EXPECT_EQ(int(received->message.kind), int(kind)) << received->message.text;
    return received->message.text;
  }
  HandoverMessage TakeOver() const { return {.kind = Kind::kTakeOver, .text = listen_.ToString()}; }
  static void SendRaw(const HandoverChannel& channel, const std::string& bytes) {
    ASSERT_EQ(::send(channel.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // Whatever was tried before: the next successor gets everything.
  void ExpectThatItGoesOn() {
    EXPECT_FALSE(succeeded_);
    auto inheritance = Inherit(path_, listen_);
    ASSERT_TRUE(inheritance.ok()) << inheritance.status();
    ASSERT_TRUE(*inheritance);
    EXPECT_EQ((*inheritance)->own.size(), listeners_.size());
    EXPECT_TRUE((*inheritance)->channel.Send({.kind = Kind::kServing}).ok());
    Expect((*inheritance)->channel, Kind::kDraining);
    EXPECT_TRUE(Eventually([&] { return succeeded_.load(); }));
  }

  // A predecessor that is played by hand; gives its end once a successor has knocked.
  HandoverChannel AdmitSuccessor(const UniqueFd& door) {
    HandoverChannel channel;
    EXPECT_TRUE(Eventually([&] {
      UniqueFd fd(::accept4(door.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return false;
      channel = HandoverChannel(std::move(fd));
      return true;
    }));
    Expect(channel, Kind::kTakeOver);
    return channel;
  }
  // What Inherit says where the predecessor answers so.
  absl::Status InheritFrom(const HandoverMessage& answer, const std::vector<int>& descriptors) {
    const UniqueFd door = *OpenHandoverDoor(path_);
    auto inheritance =
        std::async(std::launch::async, [this] { return Inherit(path_, listen_).status(); });
    HandoverChannel channel = AdmitSuccessor(door);
    EXPECT_TRUE(channel.Send(answer, descriptors).ok());
    return inheritance.get();
  }

  // Two ends of a hand-over whose descriptors have been given; the first one is the successor's,
  // about to announce itself.
  HandoverChannel StartSuccession(milliseconds patience = kPatience) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    OnLoop([&] {
      succession_ = std::make_unique<Succession>(
          loop_, HandoverChannel(UniqueFd(ends[0])),
          [this](const absl::Status& status) {
            settled_.set_value(std::string(MessageOf(status)));
          },
          patience);
    });
    return HandoverChannel(UniqueFd(ends[1]));
  }
  absl::Status Announce() {
    absl::Status status;
    OnLoop([&] { status = succession_->Announce(); });
    return status;
  }
  // Why it must end; empty where it need not.
  std::string Settled() {
    auto settled = settled_.get_future();
    if (settled.wait_for(kPatience) == std::future_status::ready) return settled.get();
    return "it did not settle";
  }

  std::string directory_;
  Address path_;
  Address listen_;
  EventLoop loop_;
  std::thread thread_;
  std::vector<UniqueFd> listeners_;
  std::unique_ptr<Predecessor> predecessor_;
  std::unique_ptr<Succession> succession_;
  std::atomic<bool> succeeded_{false};
  std::promise<std::string> settled_;
  std::mutex mutex_;  // Guards said_.
  std::vector<std::string> said_;
};

using PredecessorTest = Handover;
using SuccessorTest = Handover;
using HandoverDoor = Handover;

TEST_F(PredecessorTest, GivesItsSocketsAndDoorToASuccessorThatServes) {
  StartPredecessor();
  auto inheritance = Inherit(path_, listen_);
  ASSERT_TRUE(inheritance.ok()) << inheritance.status();
  ASSERT_TRUE(*inheritance);
  EXPECT_EQ((*inheritance)->predecessor, ::getpid());
  EXPECT_EQ((*inheritance)->own.size(), 2u);
  EXPECT_FALSE(succeeded_);
  (void)(*inheritance)->channel.Send({.kind = Kind::kServing});
  Expect((*inheritance)->channel, Kind::kDraining);
  EXPECT_TRUE(Eventually([&] { return succeeded_.load(); }));
  OnLoop([this] { predecessor_.reset(); });
  EXPECT_TRUE(std::filesystem::exists(path_.host())) << "the path is the successor's";
  listeners_.clear();
  Peer::ConnectTo(listen_);
  Knock();
}

TEST_F(PredecessorTest, GivesThemToASuccessorOnAnotherAddressOfThePort) {
  StartPredecessor();
  const auto at = [this](const char* ip) { return *Address::FromIpAndPort(ip, listen_.port()); };
  {
    const auto wide = Inherit(path_, at("0.0.0.0"));
    ASSERT_TRUE(wide.ok()) << wide.status();
    EXPECT_EQ((*wide)->own.size(), 0u);
    EXPECT_EQ((*wide)->covered.size(), 2u) << "clients of 127.0.0.1 come here alone";
    EXPECT_EQ((*wide)->unwanted.size(), 0u);
  }
  {
    const auto other = Inherit(path_, at("127.0.0.2"));
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ((*other)->covered.size(), 0u);
    EXPECT_EQ((*other)->unwanted.size(), 2u);
  }
  ExpectThatItGoesOn();
}

TEST_F(PredecessorTest, GoesOnWhereASuccessorDiesAtAnyStepBeforeItServes) {
  StartPredecessor();
  { const HandoverChannel channel = Knock(); }
  EXPECT_TRUE(Says("ended before it served"));
  {
    HandoverChannel channel = Knock();
    (void)channel.Send(TakeOver());
  }
  {
    HandoverChannel channel = Knock();
    (void)channel.Send(TakeOver());
    Expect(channel, Kind::kListeners);
  }
  EXPECT_TRUE(Eventually([&] { return said().size() == 3; }));
  ExpectThatItGoesOn();
}

TEST_F(PredecessorTest, GoesOnWhereASuccessorSaysNothing) {
  StartPredecessor({.for_request = kShort});
  HandoverChannel channel = Knock();
  EXPECT_EQ(Expect(channel, Kind::kRefused), "it said nothing in time");
  ExpectThatItGoesOn();
}

TEST_F(PredecessorTest, GoesOnWhereASuccessorTakesTheSocketsAndHangs) {
  StartPredecessor({.for_serving = kShort});
  HandoverChannel channel = Knock();
  (void)channel.Send(TakeOver());
  Expect(channel, Kind::kListeners);
  EXPECT_EQ(Expect(channel, Kind::kRefused), "it did not serve in time");
  EXPECT_FALSE(succeeded_);
  EXPECT_TRUE(Says("did not serve in time"));
  (void)channel.Send({.kind = Kind::kServing});
  EXPECT_FALSE(succeeded_) << "too late";
}

TEST_F(PredecessorTest, RefusesWhatIsNoMessageAndGoesOn) {
  StartPredecessor();
  std::string other_version = EncodeHandover(TakeOver());
  other_version[7] = 9;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", "does not begin as one"},
      {other_version, "it speaks version 9 of the hand-over, this balancer speaks version 1"},
      {EncodeHandover(TakeOver()) + std::string(kHandoverMessageBytesMax, 'x'), "too long"},
      {EncodeHandover(TakeOver()).substr(0, 20), "not as long as it says"},
      {EncodeHandover({.kind = Kind::kServing}), "out of turn"},
      {EncodeHandover({.kind = Kind::kDraining}), "out of turn"},
      {EncodeHandover({.kind = Kind::kTakeOver, .text = "127.0.0.1:1"}),
       Cat("listens on ", listen_.ToString(),
           ", not on 127.0.0.1:1; give a --listen with the same port")},
  };
  for (const auto& [bytes, reason] : cases) {
    HandoverChannel channel = Knock();
    SendRaw(channel, bytes);
    EXPECT_THAT(Expect(channel, Kind::kRefused), HasSubstr(reason));
    EXPECT_TRUE(Says(reason));
  }
  ExpectThatItGoesOn();
}

TEST_F(PredecessorTest, RefusesDescriptorsThatNobodyAskedFor) {
  StartPredecessor();
  HandoverChannel channel = Knock();
  const int descriptor = STDIN_FILENO;
  (void)channel.Send(TakeOver(), {&descriptor, 1});
  EXPECT_THAT(Expect(channel, Kind::kRefused), HasSubstr("descriptors, which nobody asked for"));
  ExpectThatItGoesOn();
}

TEST_F(PredecessorTest, GivesItsSocketsOnlyOnceToEachVisitor) {
  StartPredecessor();
  HandoverChannel channel = Knock();
  (void)channel.Send(TakeOver());
  Expect(channel, Kind::kListeners);
  (void)channel.Send(TakeOver());
  EXPECT_THAT(Expect(channel, Kind::kRefused), HasSubstr("out of turn"));
  ExpectThatItGoesOn();
}

TEST_F(PredecessorTest, TakesOneSuccessorAtATime) {
  StartPredecessor();
  HandoverChannel first = Knock();
  (void)first.Send(TakeOver());
  Expect(first, Kind::kListeners);
  const auto second = Inherit(path_, listen_);
  EXPECT_THAT(std::string(MessageOf(second.status())), HasSubstr("is taking over already"));
  (void)first.Send({.kind = Kind::kServing});
  Expect(first, Kind::kDraining);
}

TEST_F(PredecessorTest, RefusesWhereItAcceptsNothing) {
  StartPredecessor({}, 0);
  const auto inheritance = Inherit(path_, listen_);
  EXPECT_THAT(std::string(MessageOf(inheritance.status())),
              HasSubstr("does not accept connections"));
}

TEST_F(PredecessorTest, RefusesAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  StartPredecessor();
  // As if somebody had opened both to everybody.
  ASSERT_EQ(::chmod(directory_.c_str(), 0777), 0);
  ASSERT_EQ(::chmod(path_.host().c_str(), 0777), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool changed = ::setuid(65534) == 0;
    const auto inheritance = Inherit(path_, listen_);
    const bool refused = absl::IsFailedPrecondition(inheritance.status()) ||
                         absl::IsPermissionDenied(inheritance.status());
    ::_exit(changed && refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Says("belongs to user 65534, this balancer to user 0"));
  ExpectThatItGoesOn();
}

TEST_F(HandoverDoor, IsForItsUserAloneAndGoesWithItsBalancer) {
  StartPredecessor();
  struct stat there {};
  ASSERT_EQ(::stat(path_.host().c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777, 0600u);
  OnLoop([this] { predecessor_.reset(); });
  EXPECT_FALSE(std::filesystem::exists(path_.host()));
}

TEST_F(HandoverDoor, IsOpenedWhereABalancerDiedAndLeftItsSocket) {
  { const UniqueFd left = *OpenHandoverDoor(path_); }
  const auto nobody = KnockAtHandoverDoor(path_);
  ASSERT_TRUE(nobody.ok());
  EXPECT_FALSE(nobody->has_value());
  StartPredecessor();
  ExpectThatItGoesOn();
}

TEST_F(HandoverDoor, LeavesAFileThatIsNoSocket) {
  std::ofstream(path_.host()) << "precious";
  const auto door = OpenHandoverDoor(path_);
  EXPECT_THAT(std::string(MessageOf(door.status())), HasSubstr("is not a socket"));
  EXPECT_EQ(std::filesystem::file_size(path_.host()), 8u);
}

TEST_F(SuccessorTest, FindsNobodyWhereNobodyIs) {
  const auto inheritance = Inherit(path_, listen_);
  ASSERT_TRUE(inheritance.ok());
  EXPECT_FALSE(inheritance->has_value());
}

TEST_F(SuccessorTest, WaitsNoLongerThanItsPatienceForAnAnswer) {
  const UniqueFd door = *OpenHandoverDoor(path_);
  const auto inheritance = Inherit(path_, listen_, kShort);
  EXPECT_EQ(inheritance.status(), absl::DeadlineExceededError("no answer within 50 ms"));
}

TEST_F(SuccessorTest, RefusesSocketsThatAreNotWhatWasAskedFor) {
  const auto other = *ListenAlone(FreeAddress(), 1);
  const auto right = *ListenAlone(listen_, 1);
  const UniqueFd door = *OpenHandoverDoor(*Address::Parse(Cat("unix:", directory_, "/other")));
  const HandoverMessage one = {
      .kind = Kind::kListeners, .listeners = 1, .text = listen_.ToString()};
  EXPECT_FALSE(InheritFrom(one, {}).ok()) << "none";
  EXPECT_FALSE(InheritFrom(one, {right[0].get()}).ok()) << "one too few";
  EXPECT_FALSE(InheritFrom(one, {right[0].get(), right[0].get()}).ok()) << "no door";
  EXPECT_FALSE(InheritFrom(one, {door.get(), right[0].get()}).ok()) << "the door of another path";
  EXPECT_FALSE(InheritFrom({.kind = Kind::kServing}, {}).ok()) << "out of turn";
  EXPECT_THAT(std::string(MessageOf(InheritFrom({.kind = Kind::kRefused, .text = "no"}, {}))),
              HasSubstr("it refuses: no"));
}

TEST_F(SuccessorTest, RefusesAListenerOfAnotherAddress) {
  const auto other = *ListenAlone(FreeAddress(), 1);
  const UniqueFd door = *OpenHandoverDoor(path_);
  auto inheritance =
      std::async(std::launch::async, [this] { return Inherit(path_, listen_).status(); });
  HandoverChannel channel = AdmitSuccessor(door);
  const std::vector<int> descriptors = {door.get(), other[0].get()};
  (void)channel.Send({.kind = Kind::kListeners, .listeners = 1, .text = listen_.ToString()},
                     descriptors);
  EXPECT_THAT(std::string(MessageOf(inheritance.get())), HasSubstr("does not listen on"));
}

TEST_F(SuccessorTest, IsSettledOnceThePredecessorDrains) {
  HandoverChannel predecessor = StartSuccession();
  EXPECT_TRUE(Announce().ok());
  Expect(predecessor, Kind::kServing);
  (void)predecessor.Send({.kind = Kind::kDraining});
  EXPECT_EQ(Settled(), "");
}

TEST_F(SuccessorTest, ServesOnWhereThePredecessorDies) {
  {
    HandoverChannel predecessor = StartSuccession();
    EXPECT_TRUE(Announce().ok());
  }
  EXPECT_EQ(Settled(), "");
}

TEST_F(SuccessorTest, ServesOnWhereThePredecessorHangs) {
  HandoverChannel predecessor = StartSuccession(kShort);
  EXPECT_TRUE(Announce().ok());
  EXPECT_EQ(Settled(), "");
}

TEST_F(SuccessorTest, AcceptsNothingWhereItWasGivenUpBeforeItServed) {
  HandoverChannel predecessor = StartSuccession();
  (void)predecessor.Send({.kind = Kind::kRefused, .text = "too late"});
  EXPECT_THAT(std::string(MessageOf(Announce())), HasSubstr("too late"));
}

TEST_F(SuccessorTest, EndsWhereItWasGivenUpWhileItSaidThatItServes) {
  {
    HandoverChannel predecessor = StartSuccession();
    EXPECT_TRUE(Announce().ok());
    (void)predecessor.Send({.kind = Kind::kRefused, .text = "too late"});
    // What it has not read resets the channel, and its last word still counts.
  }
  EXPECT_THAT(Settled(), HasSubstr("too late"));
}

TEST(ListeningAddress, IsThatOfASocketThatListens) {
  const Address address = FreeAddress();
  const auto listener = *Listen(address);
  EXPECT_EQ(*ListeningAddressOf(listener), address);
  EXPECT_FALSE(ListeningAddressOf(*Reserve(FreeAddress())).ok());
  EXPECT_FALSE(ListeningAddressOf(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))).ok());
}

TEST(ListeningAddress, ItsWildcardCoversTheOthersOfItsPort) {
  const auto covers = [](const char* wide, const char* narrow) {
    return Covers(*Address::Parse(wide), *Address::Parse(narrow));
  };
  EXPECT_TRUE(covers("127.0.0.1:5050", "127.0.0.1:5050"));
  EXPECT_TRUE(covers("0.0.0.0:5050", "127.0.0.1:5050"));
  EXPECT_TRUE(covers("[::]:5050", "127.0.0.1:5050"));
  EXPECT_TRUE(covers("[::]:5050", "[::1]:5050"));
  EXPECT_FALSE(covers("0.0.0.0:5050", "[::1]:5050"));
  EXPECT_FALSE(covers("0.0.0.0:5050", "127.0.0.1:5051"));
  EXPECT_FALSE(covers("127.0.0.1:5050", "0.0.0.0:5050"));
  EXPECT_FALSE(covers("127.0.0.1:5050", "127.0.0.2:5050"));
  EXPECT_TRUE(covers("unix:/run/a", "unix:/run/a"));
  EXPECT_FALSE(covers("unix:/run/a", "unix:/run/b"));
  EXPECT_FALSE(covers("0.0.0.0:5050", "unix:/run/b"));
}

}  // namespace
}  // namespace gocomet::dataplane
