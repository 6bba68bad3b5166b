#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace gocomet::controlplane {

// Who wants to hear of each T. Confined to the owner's thread; a subscriber must not block, and may
// be removed from within its own call only by the owner's next turn.
template <typename T>
class Subscribers {
 public:
  using Function = std::function<void(const T&)>;

  uint64_t Add(Function function) {
    functions_.emplace(++last_id_, std::move(function));
    return last_id_;
  }
  void Remove(uint64_t id) { functions_.erase(id); }
  bool empty() const { return functions_.empty(); }
  void Publish(const T& value) const {
    for (const auto& [id, function] : functions_) function(value);
  }

 private:
  uint64_t last_id_ = 0;
  std::map<uint64_t, Function> functions_;
};

}  // namespace gocomet::controlplane
