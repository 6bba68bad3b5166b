#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "controlplane/app/overview.h"
#include "controlplane/model/records.h"

namespace gocomet::controlplane {

// What a person in front of the terminal sees: the banner once everything is ready (or has had time
// enough), then a state that is redrawn each second on a terminal, and one line per event
// elsewhere. One thread of its own.
class Console {
 public:
  // `ask` posts a request for an overview; the answer comes by Show, on any thread.
  Console(Banner banner, std::function<void()> ask);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void Show(Overview overview);
  void ShowEvent(const Event& event);

 private:
  void Run();
  void Redraw(const Overview& overview);
  void EraseLiveState();

  const Banner banner_;
  const std::function<void()> ask_;
  const bool is_terminal_;
  const bool colours_;
  std::atomic<bool> banner_shown_{false};

  // The console's thread only.
  std::string drawn_;  // The live state as it stands on the terminal.
  uint64_t last_requests_ = 0;
  std::optional<std::chrono::steady_clock::time_point> last_drawn_;

  std::mutex mutex_;  // Guards everything below.
  std::condition_variable wake_;
  std::optional<Overview> overview_;
  std::deque<std::string> event_lines_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace gocomet::controlplane
