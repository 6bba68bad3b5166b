#include "worker/stats_desk.h"

#include <utility>

#include "worker/stats_json.h"

namespace gocomet::worker {

StatsDesk::StatsDesk(const EventLoop& loop, std::string worker_id, const Counters& counters,
                     const Clock& clock, std::chrono::milliseconds patience, Ask ask)
    : counters_(counters),
      clock_(clock),
      patience_(patience),
      ask_(std::move(ask)),
      view_(std::move(worker_id)),
      timer_(loop, [this] { ReplyToAll(); }) {}

void StatsDesk::Request(Reply reply) {
  waiting_.push_back(std::move(reply));
  if (waiting_.size() > 1) return;  // A question is open already.
  if (ask_()) {
    timer_.Start(patience_);
  } else {
    ReplyToAll();
  }
}

void StatsDesk::OnCluster(ClusterNumbers numbers) {
  view_.Update(std::move(numbers.rows), numbers.newest_sent, clock_.Steady());
  ReplyToAll();
}

void StatsDesk::ReplyToAll() {
  timer_.Cancel();
  if (waiting_.empty()) return;
  StatsAnswer answer{.json = StatsJson(view_.RowsWith(counters_.Read())), .age = std::nullopt};
  if (const auto age = view_.Age(clock_.Steady())) {
    answer.age = std::chrono::duration_cast<std::chrono::milliseconds>(*age);
  }
  for (const Reply& reply : std::exchange(waiting_, {})) reply(answer);
}

}  // namespace gocomet::worker
