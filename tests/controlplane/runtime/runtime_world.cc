#include "runtime_world.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet::controlplane {

absl::Status Prepare(RuntimeDriver& driver) {
  return Await<absl::Status>([&](auto done) { driver.Prepare(done); });
}

absl::StatusOr<RuntimeWorker> Start(RuntimeDriver& driver, const WorkerLaunch& launch) {
  return Await<absl::StatusOr<RuntimeWorker>>([&](auto done) { driver.Start(launch, done); });
}

absl::Status Stop(RuntimeDriver& driver, const std::string& handle,
                  std::chrono::milliseconds grace) {
  return Await<absl::Status>([&](auto done) { driver.Stop(handle, grace, done); });
}

absl::Status Remove(RuntimeDriver& driver, const std::string& handle) {
  return Await<absl::Status>([&](auto done) { driver.Remove(handle, done); });
}

absl::StatusOr<std::vector<RuntimeWorker>> List(RuntimeDriver& driver) {
  return Await<absl::StatusOr<std::vector<RuntimeWorker>>>([&](auto done) { driver.List(done); });
}

RuntimeWorker Listed(RuntimeDriver& driver, const std::string& instance) {
  const auto workers = List(driver);
  EXPECT_TRUE(workers.ok()) << workers.status();
  if (!workers.ok()) return {};
  for (const RuntimeWorker& worker : *workers) {
    if (worker.instance == instance) return worker;
  }
  return {};
}

std::vector<std::string> LogLines(RuntimeDriver& driver, const std::string& handle, int tail) {
  auto lines = std::make_shared<std::vector<std::string>>();
  auto ended = std::make_shared<std::promise<absl::Status>>();
  auto end = ended->get_future();
  const auto stream = driver.Logs(
      handle, tail, false, [lines](RuntimeLogLine line) { lines->push_back(std::move(line.text)); },
      [ended](absl::Status status) { ended->set_value(std::move(status)); });
  if (!stream.ok()) return {stream.status().ToString()};
  if (end.wait_for(kPatience) != std::future_status::ready) return {"the logs have not ended"};
  const absl::Status status = end.get();
  return status.ok() ? *lines : std::vector<std::string>{status.ToString()};
}

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/gcXXXXXX";
  path_ = ::mkdtemp(name) != nullptr ? name : "";
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::Write(const std::string& name, const std::string& content,
                                      mode_t mode) const {
  std::string path = Cat(path_, "/", name);
  const absl::Status written = WriteFileAtomically(path, content, mode);
  EXPECT_TRUE(written.ok()) << written;
  return path;
}

UniqueFd ListenUnix(const std::string& path) {
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = Address::Parse("unix:" + path);
  EXPECT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(::bind(listener.get(), address->socket_address(), address->socket_address_length()), 0);
  EXPECT_EQ(::listen(listener.get(), 64), 0);
  return listener;
}

uint16_t FreePort() {
  // Below the ports that the kernel gives to clients, each once in this process, from a place that
  // differs from those of tests beside it.
  constexpr uint32_t kFirst = 10'000;
  constexpr uint32_t kCount = 22'000;
  static std::atomic<uint32_t> next{static_cast<uint32_t>(RandomIncarnation() % kCount)};
  for (uint32_t tries = 0; tries < kCount; ++tries) {
    const auto port = static_cast<uint16_t>(kFirst + next++ % kCount);
    const auto address = Address::FromIpAndPort("127.0.0.1", port);
    if (CheckAddressIsFree(*address).ok()) return port;
  }
  ADD_FAILURE() << "no port is free";
  return 0;
}

WorkerLaunch NewLaunch(uint32_t ordinal) {
  WorkerLaunch launch;
  launch.instance = RandomHex(6);
  launch.service = "worker";
  launch.ordinal = ordinal;
  launch.port = FreePort();
  launch.bind_address = "127.0.0.1";
  launch.template_hash = "abc123";
  launch.demo.average_delay = std::chrono::milliseconds(0);
  launch.demo.failure_percent = 0;
  launch.token = "secret";
  return launch;
}

std::string StatusLineOf(const std::string& address, const std::string& path) {
  const auto parsed = Address::Parse(address);
  if (!parsed.ok()) return "";
  const UniqueFd fd(::socket(parsed->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{5, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (::connect(fd.get(), parsed->socket_address(), parsed->socket_address_length()) != 0) {
    return "";
  }
  const std::string request =
      Cat("GET ", path, " HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n");
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  char answer[4096];
  const ssize_t got = ::recv(fd.get(), answer, sizeof(answer), 0);
  const std::string text(answer, got > 0 ? static_cast<size_t>(got) : 0);
  return text.substr(0, text.find('\r'));
}

bool ProcessExists(int64_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0; }

}  // namespace gocomet::controlplane
