#include "tests/ctl/ctl_test.h"

#include <unistd.h>

#include <csignal>
#include <sstream>
#include <utility>

#include "ctl/app/ctl.h"

namespace gocomet::ctl {
namespace {

class StoppedClock final : public Clock {
 public:
  SteadyTime Steady() const override { return SteadyTime(); }
  WallTime Wall() const override { return Now(); }
};

// Before any thread starts, as in the program itself: threads inherit the mask, so a signal to this
// process reaches only the run that waits for it.
const bool kSignalsBlocked = [] {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return ::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0;
}();

// Standard output, watched.
class Screen final : public std::stringbuf {
 public:
  explicit Screen(std::string awaited) : awaited_(std::move(awaited)) {}

 private:
  int sync() override {
    if (!awaited_.empty() && str().find(awaited_) != std::string::npos) {
      awaited_.clear();
      ::kill(::getpid(), SIGINT);
    }
    return 0;
  }

  std::string awaited_;
};

}  // namespace

WallTime Now() { return WallTime(std::chrono::seconds(kNowSeconds)); }

Outcome RunProgram(const Process& process, const std::vector<std::string>& arguments) {
  EXPECT_TRUE(kSignalsBlocked);
  const StoppedClock clock;
  std::istringstream in(process.in);
  Screen screen(process.interrupt_after);
  std::ostream out(&screen);
  std::ostringstream err;
  const int exit_code = RunCtl(arguments, {.in = in,
                                           .out = out,
                                           .err = err,
                                           .clock = clock,
                                           .colours = process.colours,
                                           .server = process.server,
                                           .token = process.token,
                                           .user = "ada"});
  return {exit_code, screen.str(), err.str()};
}

Outcome CtlTest::Ctl(const std::vector<std::string>& arguments, Process process) {
  if (process.server.empty()) process.server = fake_.address();
  return RunProgram(process, arguments);
}

}  // namespace gocomet::ctl
