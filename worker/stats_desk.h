#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "worker/cluster_view.h"
#include "worker/counters.h"
#include "worker/event_loop.h"

namespace gocomet::worker {

struct StatsAnswer {
  std::string json;
  // How old the other workers' numbers are; nothing where none ever came.
  std::optional<std::chrono::milliseconds> age;
};

// What the control plane said about the whole cluster.
struct ClusterNumbers {
  std::vector<WorkerRow> rows;
  // The newest report that had been sent when they came.
  RequestCounts newest_sent;
};

// Answers /worker/stats without ever blocking the loop. Requests that come while a question to the
// control plane is open share its answer; where none comes in time, the numbers that are known are
// given. On the loop's thread.
class StatsDesk {
 public:
  // Sends a question to the control plane; false where that is impossible now.
  using Ask = std::function<bool()>;
  using Reply = std::function<void(const StatsAnswer&)>;

  // `loop`, `counters` and `clock` must outlive it.
  StatsDesk(const EventLoop& loop, std::string worker_id, const Counters& counters,
            const Clock& clock, std::chrono::milliseconds patience, Ask ask);

  // Calls `reply` exactly once, perhaps before it returns, at most `patience` later.
  void Request(Reply reply);

  // What just came is fresh, asked for or not, and the own row is always this moment's: it answers
  // every open request.
  void OnCluster(ClusterNumbers numbers);

 private:
  void ReplyToAll();

  const Counters& counters_;
  const Clock& clock_;
  const std::chrono::milliseconds patience_;
  const Ask ask_;
  ClusterView view_;
  std::vector<Reply> waiting_;
  Timer timer_;
};

}  // namespace gocomet::worker
