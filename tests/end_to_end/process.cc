#include "tests/end_to_end/process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/text.h"

namespace gocomet::testing {
namespace {

constexpr uint16_t kPortsPerSystem = 60;

UniqueFd BindTo(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *Address::FromIpAndPort("127.0.0.1", port);
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0) fd.Reset();
  return fd;
}

}  // namespace

std::string Program(const std::string& name) { return Cat(GOCOMET_PROGRAMS, "/", name); }

UniqueFd ReservePorts() {
  for (int attempt = 0; attempt < 200; ++attempt) {
    const auto base = static_cast<uint16_t>(20000 + RandomIncarnation() % 200 * kPortsPerSystem);
    UniqueFd reservation = BindTo(static_cast<uint16_t>(base + kPortsPerSystem - 1));
    bool free = reservation.valid();
    for (uint16_t i = 0; free && i + 1 < kPortsPerSystem; ++i) {
      const auto port = static_cast<uint16_t>(base + i);
      free = CheckAddressIsFree(*Address::FromIpAndPort("127.0.0.1", port)).ok();
    }
    if (free) return reservation;
  }
  std::abort();
}

uint16_t FirstOf(const UniqueFd& reservation) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(reservation.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return static_cast<uint16_t>(ntohs(address.sin_port) - (kPortsPerSystem - 1));
}

int Spawn(const std::vector<std::string>& arguments, const std::string& output,
          const std::string& directory, const std::map<std::string, std::string>& environment) {
  const int parent = ::getpid();
  const int pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(126);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

std::optional<int> WaitForPid(int pid, std::chrono::milliseconds timeout) {
  int status = 0;
  const bool ended = WaitUntil([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, timeout);
  if (!ended) return std::nullopt;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

CommandResult RunCommand(const std::vector<std::string>& arguments, std::chrono::seconds timeout) {
  char file[] = "/tmp/gocomet-command-XXXXXX";
  const int fd = ::mkstemp(file);
  ::close(fd);
  const int pid = Spawn(arguments, file, "", {});
  const auto exit = WaitForPid(pid, timeout);
  if (!exit) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  CommandResult result{exit.value_or(-1), ReadFile(file).value_or("")};
  ::unlink(file);
  return result;
}

}  // namespace gocomet::testing
