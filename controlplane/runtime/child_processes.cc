#include "controlplane/runtime/child_processes.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Debian 12's <sys/pidfd.h> is not fit for C++: it declares its functions without C linkage.
UniqueFd OpenPidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

bool SendSignal(const UniqueFd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

// What epoll calls the eventfd; processes count from 1.
constexpr uint64_t kWakeKey = 0;

// Above the three standard descriptors, so that none is overwritten while they are put in place.
absl::StatusOr<UniqueFd> OpenForChild(const std::string& path, int flags) {
  const UniqueFd opened(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0600));
  if (!opened.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", path));
  UniqueFd fd(::fcntl(opened.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", path));
  return fd;
}

// All that the child needs, made before the fork: between fork and exec a program with threads may
// only make calls that are safe in signal handlers.
struct ChildSetup {
  const char* program = nullptr;
  const char* directory = nullptr;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  rlimit data{RLIM_INFINITY, RLIM_INFINITY};
  UniqueFd input;
  UniqueFd output;
  UniqueFd error;
  UniqueFd failure;  // Closed by a successful exec, else it gets the errno.
};

[[noreturn]] void RunChild(const ChildSetup& setup) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  if (::setsid() >= 0 && ::chdir(setup.directory) == 0 &&
      ::dup2(setup.input.get(), STDIN_FILENO) >= 0 &&
      ::dup2(setup.output.get(), STDOUT_FILENO) >= 0 &&
      ::dup2(setup.error.get(), STDERR_FILENO) >= 0 &&
      (setup.data.rlim_cur == RLIM_INFINITY || ::setrlimit(RLIMIT_DATA, &setup.data) == 0)) {
    // A kernel that knows no such call leaves what was opened without O_CLOEXEC to the child.
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::execve(setup.program, setup.arguments.data(),
             setup.environment.empty() ? environ : setup.environment.data());
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(setup.failure.get(), &error, sizeof(error));
  ::_exit(127);
}

// Signals are held back across the fork, so that none runs a handler of ours in the child.
pid_t ForkChild(const ChildSetup& setup) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) RunChild(setup);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

// The errno of a failed exec, 0 once the program runs.
int ReadFailure(const UniqueFd& pipe) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(pipe.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof(error)) ? error : 0;
}

void Reap(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// The number of a child that has not been waited for is nobody else's, nor is its group's. That of
// a process which somebody else started may be free already: its session is looked for.
void KillWhatIsLeft(const ProcessIdentity& identity, const UniqueFd& pidfd) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd.get());
  if (::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    ::kill(-identity.pid, SIGKILL);
    return;
  }
  for (const ProcessIdentity& member : FindSession(identity)) {
    const UniqueFd left = OpenPidfd(member.pid);
    const auto now = IdentifyProcess(member.pid);
    if (left.valid() && now.ok() && *now == member) SendSignal(left, SIGKILL);
  }
}

ProcessExit ReadExit(const UniqueFd& pidfd) {
  siginfo_t info{};
  ProcessExit exit;
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return exit;  // Not our child.
  }
  exit.known = true;
  if (info.si_code == CLD_EXITED) {
    exit.code = info.si_status;
  } else {
    exit.signal = info.si_status;
  }
  return exit;
}

absl::Status CannotStart(const ProcessLaunch& launch, int error) {
  return absl::ErrnoToStatus(
      error, Cat("cannot start ", launch.program, " in ", launch.working_directory,
                 error == ENOEXEC ? " (a script needs a first line such as #!/bin/sh)" : ""));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcesses>> ChildProcesses::Create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeKey;
  if (!epoll.valid() || !wake.valid() ||
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return absl::ErrnoToStatus(errno, "cannot watch processes");
  }
  return std::unique_ptr<ChildProcesses>(new ChildProcesses(std::move(epoll), std::move(wake)));
}

ChildProcesses::ChildProcesses(UniqueFd epoll, UniqueFd wake)
    : epoll_(std::move(epoll)), wake_(std::move(wake)), thread_([this] { Run(); }) {}

ChildProcesses::~ChildProcesses() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = ::write(wake_.get(), &one, sizeof(one));
  thread_.join();
}

absl::StatusOr<ProcessIdentity> ChildProcesses::Start(const ProcessLaunch& launch, OnExit on_exit) {
  ChildSetup setup;
  setup.program = launch.program.c_str();
  setup.directory = launch.working_directory.c_str();
  setup.arguments.push_back(const_cast<char*>(launch.program.c_str()));
  for (const std::string& argument : launch.arguments) {
    setup.arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  setup.arguments.push_back(nullptr);
  if (launch.environment) {
    for (const std::string& variable : *launch.environment) {
      setup.environment.push_back(const_cast<char*>(variable.c_str()));
    }
    setup.environment.push_back(nullptr);
  }
  if (launch.data_bytes_max != 0) setup.data = {launch.data_bytes_max, launch.data_bytes_max};
  GOCOMET_ASSIGN_OR_RETURN(setup.input, OpenForChild("/dev/null", O_RDONLY));
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  GOCOMET_ASSIGN_OR_RETURN(setup.output, OpenForChild(launch.stdout_file, kAppend));
  GOCOMET_ASSIGN_OR_RETURN(setup.error, OpenForChild(launch.stderr_file, kAppend));
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return CannotStart(launch, errno);
  const UniqueFd failure(pipe[0]);
  setup.failure.Reset(::fcntl(pipe[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  ::close(pipe[1]);
  if (!setup.failure.valid()) return CannotStart(launch, errno);

  const pid_t pid = ForkChild(setup);
  if (pid < 0) return CannotStart(launch, errno);
  setup.failure.Reset();
  if (const int error = ReadFailure(failure); error != 0) {
    Reap(pid);
    return CannotStart(launch, error);
  }
  // Until it is waited for nobody else gets its number, so it can be named by that for a moment.
  UniqueFd pidfd = OpenPidfd(pid);
  const int pidfd_error = errno;
  const auto identity = IdentifyProcess(pid);
  absl::Status watched = identity.status();
  if (!pidfd.valid()) {
    watched = CannotStart(launch, pidfd_error);
  } else if (watched.ok()) {
    watched = Watch(*identity, std::move(pidfd), std::move(on_exit));
  }
  if (!watched.ok()) {
    ::kill(pid, SIGKILL);
    Reap(pid);
    return watched;
  }
  return *identity;
}

absl::Status ChildProcesses::Adopt(const ProcessIdentity& identity, OnExit on_exit) {
  // In this order: what has the right start time after pidfd_open had the number before it too.
  UniqueFd pidfd = OpenPidfd(identity.pid);
  if (!pidfd.valid() && errno != ESRCH && errno != EINVAL) {
    return absl::ErrnoToStatus(errno, Cat("cannot watch process ", identity.pid));
  }
  const auto now = IdentifyProcess(identity.pid);
  if (!pidfd.valid() || !now.ok() || *now != identity) {
    return absl::NotFoundError(Cat("process ", identity.pid, " has ended"));
  }
  return Watch(identity, std::move(pidfd), std::move(on_exit));
}

absl::Status ChildProcesses::Watch(const ProcessIdentity& identity, UniqueFd pidfd,
                                   OnExit on_exit) {
  const std::lock_guard hold(mutex_);
  if (Find(identity) != watched_.end()) {
    return absl::AlreadyExistsError(Cat("process ", identity.pid, " is watched already"));
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = ++last_key_;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &event) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot watch process ", identity.pid));
  }
  watched_[last_key_] = Watched{identity, std::move(pidfd), std::move(on_exit)};
  return absl::OkStatus();
}

std::map<uint64_t, ChildProcesses::Watched>::const_iterator ChildProcesses::Find(
    const ProcessIdentity& identity) const {
  return std::find_if(watched_.begin(), watched_.end(),
                      [&](const auto& entry) { return entry.second.identity == identity; });
}

absl::Status ChildProcesses::Signal(const ProcessIdentity& identity, int signal) const {
  const std::lock_guard hold(mutex_);
  const auto found = Find(identity);
  if (found == watched_.end()) {
    return absl::NotFoundError(Cat("process ", identity.pid, " has ended"));
  }
  if (!SendSignal(found->second.pidfd, signal)) {
    if (errno == ESRCH) return absl::NotFoundError(Cat("process ", identity.pid, " has ended"));
    return absl::ErrnoToStatus(errno, Cat("cannot signal process ", identity.pid));
  }
  return absl::OkStatus();
}

bool ChildProcesses::Watches(const ProcessIdentity& identity) const {
  const std::lock_guard hold(mutex_);
  return Find(identity) != watched_.end();
}

void ChildProcesses::Run() {
  epoll_event events[64];
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events, 64, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeKey) return;
      OnEnded(events[i].data.u64);
    }
  }
}

void ChildProcesses::OnEnded(uint64_t key) {
  decltype(watched_)::node_type ended;
  {
    const std::lock_guard hold(mutex_);
    ended = watched_.extract(key);
  }
  if (ended.empty()) return;
  Watched& process = ended.mapped();
  // Closing it would not be enough: a child between fork and exec holds a copy of the descriptor.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, process.pidfd.get(), nullptr);
  KillWhatIsLeft(process.identity, process.pidfd);
  const ProcessExit exit = ReadExit(process.pidfd);
  process.on_exit(process.identity, exit);
}

}  // namespace gocomet::controlplane
