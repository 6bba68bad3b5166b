#include "tests/controlplane/simulation/simulated_machine.h"

#include <memory>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr char kBadVariable[] = "BAD";

class NoLogs final : public LogStream {};

}  // namespace

void SimulatedMachine::Hint() {
  if (!changed_ || (setting_.trouble && setting_.dice.Chance(50))) return;  // It is lost.
  setting_.time.In(setting_.dice.Delay(1, 50), [this, caller = caller_] {
    if (caller == caller_ && changed_) changed_();
  });
}

template <typename T>
void SimulatedMachine::AnswerIn(std::chrono::milliseconds delay, const std::string& subject,
                                Done<T> done, T answer) {
  setting_.time.In(delay, [this, caller = caller_, subject, done, answer] {
    if (caller != caller_) return;
    if (const auto call = calls_.find(subject); call != calls_.end() && --call->second <= 0) {
      calls_.erase(call);
    }
    done(answer);
  });
}

template <typename T>
void SimulatedMachine::Call(const std::string& subject, std::function<T()> effect, Done<T> done) {
  if (++calls_[subject] > 1) witness_.second_call(subject);
  Dice& dice = setting_.dice;
  SimulatedTime& time = setting_.time;
  const auto usual = dice.Delay(5, 400);
  const auto late = [&](const char* words) {
    setting_.story.Tell([&] { return Cat("  (", subject, ": ", words, ")"); });
    return T(absl::DeadlineExceededError(words));
  };
  if (time.Steady() < engine_down_until_) {
    return AnswerIn<T>(dice.Delay(500, 3000), subject, std::move(done),
                       T(absl::UnavailableError("the engine does not answer")));
  }
  const uint32_t fate = setting_.trouble ? dice.Pick(1, 100) : 100;
  if (fate <= 5) {
    return AnswerIn<T>(usual, subject, std::move(done), T(absl::UnavailableError("refused")));
  }
  if (fate <= 10) {  // It takes effect, and the answer is lost.
    time.In(usual, [effect] { (void)effect(); });
    return AnswerIn<T>(usual + dice.Delay(1, 3000), subject, std::move(done),
                       late("takes effect; its answer is lost"));
  }
  if (fate <= 14) {  // It takes effect when it is thought to have failed.
    time.In(usual + dice.Delay(1, 5000), [effect] { (void)effect(); });
    return AnswerIn<T>(usual, subject, std::move(done), late("takes effect after it failed"));
  }
  if (fate <= 17) {  // No answer until the driver's own deadline.
    return AnswerIn<T>(std::chrono::seconds(15), subject, std::move(done), late("is never done"));
  }
  const bool slow = fate <= 22;
  const bool twice = fate > 22 && fate <= 26;
  const auto delay = slow ? usual + dice.Delay(1000, 8000) : usual;
  time.In(delay, [this, subject, effect, done = std::move(done), twice, caller = caller_] {
    const T answer = effect();
    if (caller != caller_) return;
    AnswerIn<T>(std::chrono::milliseconds(0), subject, done, answer);
    if (!twice) return;
    setting_.story.Tell([&] { return Cat("  (", subject, ": is answered twice)"); });
    const auto again = setting_.dice.Delay(1, 2000);
    setting_.time.In(again, [this, caller = caller_, done, answer] {
      if (caller == caller_) done(answer);
    });
  });
}

void SimulatedMachine::ForgetCaller() {
  ++caller_;
  calls_.clear();
  changed_ = nullptr;
}

absl::StatusOr<RuntimeWorker> SimulatedMachine::Begin(const WorkerLaunch& launch) {
  if (const auto known = processes_.find(launch.instance); known != processes_.end()) {
    return known->second.seen;
  }
  for (const auto& [handle, process] : processes_) {
    if (process.seen.running && process.seen.port == launch.port) {
      return absl::AlreadyExistsError(Cat("port ", launch.port, " is taken by ", handle));
    }
  }
  if (const auto stranger = strangers_.find(launch.port);
      stranger != strangers_.end() && setting_.time.Steady() < stranger->second) {
    return absl::AlreadyExistsError(Cat("port ", launch.port, " is taken by a stranger"));
  }
  Process process;
  RuntimeWorker& seen = process.seen;
  seen.handle = seen.id = seen.instance = launch.instance;
  seen.service = launch.service;
  seen.ordinal = launch.ordinal;
  seen.port = launch.port;
  seen.template_hash = launch.template_hash;
  seen.address = seen.balancer_address = Cat("127.0.0.1:", launch.port);
  seen.pid = 1000;
  seen.created = setting_.time.Wall();
  seen.running = true;
  process.never_answers = launch.workload.environment.contains(kBadVariable);
  process.answers_from = setting_.time.Steady() + setting_.dice.Delay(50, 1500);
  processes_[seen.handle] = process;
  Hint();
  return seen;
}

void SimulatedMachine::End(Process& process, int exit_code) {
  if (!process.seen.running) return;
  process.seen.running = false;
  process.seen.exit = RuntimeWorker::Exit{.code = exit_code, .time = setting_.time.Wall()};
  Hint();
}

void SimulatedMachine::Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) {
  setting_.story.Tell([&] {
    return Cat("  start ", launch.service, "-", launch.ordinal, " as ", launch.instance);
  });
  Call<absl::StatusOr<RuntimeWorker>>(
      launch.instance, [this, launch] { return Begin(launch); }, std::move(done));
}

void SimulatedMachine::Stop(const std::string& handle, std::chrono::milliseconds,
                            Done<absl::Status> done) {
  if (const auto found = processes_.find(handle); found != processes_.end()) {
    witness_.stops(found->second, false);
  }
  const bool lies = setting_.trouble && setting_.dice.Chance(3);
  Call<absl::Status>(
      handle,
      [this, handle, lies] {
        const auto found = processes_.find(handle);
        if (found != processes_.end() && !lies) End(found->second, 0);
        return absl::OkStatus();
      },
      std::move(done));
}

void SimulatedMachine::Remove(const std::string& handle, Done<absl::Status> done) {
  if (const auto found = processes_.find(handle); found != processes_.end()) {
    witness_.stops(found->second, true);
  }
  const bool lies = setting_.trouble && setting_.dice.Chance(3);
  Call<absl::Status>(
      handle,
      [this, handle, lies] {
        if (!lies) processes_.erase(handle);
        return absl::OkStatus();
      },
      std::move(done));
}

void SimulatedMachine::List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) {
  using Answer = absl::StatusOr<std::vector<RuntimeWorker>>;
  Call<Answer>(
      "the list",
      [this]() -> Answer {
        std::vector<RuntimeWorker> all;
        for (const auto& [handle, process] : processes_) all.push_back(process.seen);
        return all;
      },
      std::move(done));
}

absl::StatusOr<std::unique_ptr<LogStream>> SimulatedMachine::Logs(
    const std::string&, int, bool, std::function<void(RuntimeLogLine)> line,
    std::function<void(absl::Status)> end) {
  if (setting_.trouble && setting_.dice.Chance(20)) return absl::UnavailableError("no logs");
  // The lines are the diagnosis' own: they live as long as the control plane that asked.
  setting_.time.In(setting_.dice.Delay(1, 100),
                   [this, caller = caller_, line = std::move(line), end = std::move(end)] {
                     if (caller != caller_) return;
                     line({std::nullopt, false, "last words"});
                     end(absl::OkStatus());
                   });
  return std::make_unique<NoLogs>();
}

SimulatedMachine::Process* SimulatedMachine::PickRunning() {
  std::vector<Process*> running;
  for (auto& [handle, process] : processes_) {
    if (process.seen.running) running.push_back(&process);
  }
  if (running.empty()) return nullptr;
  return running[setting_.dice.Pick(0, static_cast<uint32_t>(running.size() - 1))];
}

void SimulatedMachine::CrashOne() {
  if (Process* process = PickRunning()) {
    setting_.story.Tell([&] { return Cat("  (", process->seen.instance, " crashes)"); });
    End(*process, 3);
  }
}

void SimulatedMachine::HangOne() {
  if (Process* process = PickRunning()) {
    setting_.story.Tell([&] { return Cat("  (", process->seen.instance, " hangs)"); });
    process->hangs_until = setting_.time.Steady() + setting_.dice.Delay(1000, 40'000);
  }
}

void SimulatedMachine::RemoveOneByHand() {
  if (Process* process = PickRunning()) {
    setting_.story.Tell([&] { return Cat("  (", process->seen.instance, " is removed by hand)"); });
    processes_.erase(process->seen.handle);
    Hint();
  }
}

void SimulatedMachine::TakePortOf(const std::string& worker, uint16_t port) {
  setting_.story.Tell([&] { return Cat("  (a stranger wants the port of ", worker, ")"); });
  strangers_[port] = setting_.time.Steady() + setting_.dice.Delay(1000, 10'000);
}

void SimulatedMachine::EngineStopsAnswering(std::chrono::milliseconds how_long) {
  setting_.story.Tell([&] { return Cat("  (the engine hangs for ", how_long.count(), " ms)"); });
  engine_down_until_ = setting_.time.Steady() + how_long;
}

bool SimulatedMachine::Runs(const std::string& instance) const {
  const auto found = processes_.find(instance);
  return found != processes_.end() && found->second.seen.running;
}

bool SimulatedMachine::Answers(const std::string& instance) const {
  const auto found = processes_.find(instance);
  if (found == processes_.end() || !found->second.seen.running) return false;
  const Process& process = found->second;
  const SteadyTime now = setting_.time.Steady();
  return !process.never_answers && now >= process.answers_from && now >= process.hangs_until;
}

}  // namespace gocomet::controlplane
