#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fake_engine.h"

namespace gocomet::controlplane {

// A Docker engine with a state: containers are made, run, end and go as those of a real one,
// without any process behind them. Tests play the operator who meddles, and say which call of a
// kind goes wrong, and how.
class SimulatedEngine {
 public:
  enum class Call : uint8_t {
    kVersion,
    kCreate,
    kStart,
    kKill,
    kInspect,
    kList,
    kRemove,
    kLogs,
    kEvents,
    kLookForImage,
    kBuild,
    kPull,
  };

  // What goes wrong with a call.
  struct Trouble {
    FakeEngine::Answer answer;
    bool takes_effect = false;  // The call is carried out all the same, and `answer` is told.
    bool keeps_answer = false;  // The call's own answer is told, after the delay of `answer`.
  };
  static Trouble Refuses(int status, const std::string& message);
  static Trouble Hangs() { return {{200, "", FakeEngine::Answer::Fault::kHang}}; }
  // Carried out; the answer never arrives.
  static Trouble LosesTheAnswer() { return {{200, "", FakeEngine::Answer::Fault::kLost}, true}; }
  // Answers well, with what was true when it was asked.
  static Trouble TakesItsTime(std::chrono::milliseconds delay) {
    Trouble trouble{{}, true, true};
    trouble.answer.delay = delay;
    return trouble;
  }
  static Trouble Says(const std::string& body) { return {{200, body}}; }

  struct ContainerView {
    std::string id;
    std::string status;  // As in State.Status.
    nlohmann::json created_with;
    std::vector<std::string> signals;
    int starts = 0;
  };

  explicit SimulatedEngine(FakeEngine::Transport transport = FakeEngine::Transport::kUnix);
  explicit SimulatedEngine(const TestCertificates& certificates);

  FakeEngine& wire() { return *wire_; }

  // The next `count` calls of that kind, after `after` good ones, go wrong; a second order replaces
  // the first. Count -1: until Heal.
  void Inject(Call call, const Trouble& trouble, int count = 1, int after = 0);
  void Heal(Call call);

  // The operator, and fate. By container name.
  void StopByHand(const std::string& name, int exit_code = 0, bool out_of_memory = false);
  void RemoveByHand(const std::string& name);
  void PauseByHand(const std::string& name);
  void UnpauseByHand(const std::string& name);
  void RestartByHand(const std::string& name);
  void MakeStranger(const std::string& name);
  // The engine ends and comes back; its containers have run on (`live-restore`), have ended with
  // it, or are not there any more.
  enum class After { kRunOn, kEnded, kGone };
  void GoDown() { wire_->GoDown(); }
  void ComeUp(After containers);

  void AddImage(const std::string& name);
  void RemoveImage(const std::string& name);
  // A pull of this image brings it.
  void OfferImage(const std::string& name);
  // Workers that pay no heed to SIGTERM.
  void IgnoreSigterm() { ignores_sigterm_ = true; }

  std::map<std::string, ContainerView> containers() const;  // By name.
  int CallsOf(Call call) const;

 private:
  struct Container {
    ContainerView view;
    std::string name;
    int exit_code = 0;
    bool out_of_memory = false;
    std::string ip;
    std::string started_at = "0001-01-01T00:00:00Z";
    std::string finished_at = "0001-01-01T00:00:00Z";
  };
  struct Order {
    Trouble trouble;
    int after = 0;
    int count = 0;
  };

  using Request = FakeEngine::Request;
  using Answer = FakeEngine::Answer;

  Answer Handle(const Request& request);
  static std::optional<Call> KindOf(const Request& request);
  std::optional<Trouble> TakeTrouble(Call call);
  Answer Perform(Call call, const Request& request);
  Answer Create(const Request& request);
  Answer Start(const Request& request);
  Answer Kill(const Request& request);
  Answer Inspect(const Request& request) const;
  Answer List(const Request& request) const;
  Answer Remove(const Request& request);
  Answer Events();
  Answer Build(const Request& request);
  Answer Pull(const Request& request);
  // By id, beginning of the id, or name.
  Container* Find(const std::string& id_or_name);
  const Container* Find(const std::string& id_or_name) const;
  Container& Named(const std::string& name);
  void End(Container& container, int exit_code);
  void Run(Container& container);
  void Emit(const std::string& action, const Container& container);

  mutable std::mutex mutex_;                     // Guards what follows.
  std::map<std::string, Container> containers_;  // By id.
  std::set<std::string> images_;
  std::set<std::string> offered_;
  std::map<Call, Order> orders_;
  std::map<Call, int> calls_;
  std::vector<std::string> events_;  // All there ever were, as lines.
  int next_id_ = 1;
  int next_pid_ = 1'000'000;
  std::atomic<bool> ignores_sigterm_{false};
  std::unique_ptr<FakeEngine> wire_;  // Last: its threads use all of the above.
};

}  // namespace gocomet::controlplane
