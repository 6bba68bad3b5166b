#include "tests/worker/worker_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "common/base/file.h"
#include "common/base/text.h"

namespace gocomet::worker {
namespace {

constexpr std::chrono::seconds kPatience{10};

std::string ContentOf(const std::string& path) {
  auto content = ReadFile(path);
  return content.ok() ? *std::move(content) : std::string();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/gocomet-worker-test-XXXXXX";
  path_ = ::mkdtemp(name) == nullptr ? "" : name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

WorkerProcess::WorkerProcess(const std::vector<std::string>& flags, uint16_t port) {
  std::vector<std::string> words = {GOCOMET_WORKER, "--port", std::to_string(port)};
  if (std::find(flags.begin(), flags.end(), "--bind") == flags.end()) {
    words.insert(words.end(), {"--bind", "127.0.0.1"});
  }
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const std::string out = directory_.path() + "/out";
  const std::string err = directory_.path() + "/err";
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  const int spawned = ::posix_spawn(&pid_, GOCOMET_WORKER, &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (spawned != 0) {
    pid_ = -1;
    exit_status_ = -1;
    return;
  }
  Eventually([&] {
    const std::string line = ContentOf(out);
    if (line.find('\n') != std::string::npos) {
      constexpr std::string_view kBefore = "listens on ";
      const size_t begin = line.find(kBefore) + kBefore.size();
      const auto parsed =
          Address::Parse(line.substr(begin, line.find_first_of(" \n", begin) - begin));
      started_ = parsed.ok();
      if (started_) address_ = *parsed;
      return true;
    }
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  });
}

WorkerProcess::~WorkerProcess() {
  if (exit_status_) return;
  Signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void WorkerProcess::Signal(int signal) { ::kill(pid_, signal); }

std::optional<int> WorkerProcess::ExitStatus() {
  Eventually([&] {
    int status = 0;
    if (exit_status_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return exit_status_.has_value();
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  });
  return exit_status_;
}

std::string WorkerProcess::Errors() { return ContentOf(directory_.path() + "/err"); }

}  // namespace gocomet::worker
