#pragma once

#include <cstdint>
#include <string>

namespace gocomet::dataplane {

enum class ProbeOutcome : uint8_t {
  kPassed,
  kTimedOut,     // It took the connection, or has it in its queue, and did not answer.
  kWrongAnswer,  // It answered otherwise than expected, or broke off.
  kRefused,      // Nobody takes connections there.
};

struct HealthPolicy {
  uint32_t healthy_threshold = 1;    // Probes in a row that bring it back.
  uint32_t unhealthy_threshold = 2;  // Probes in a row that take it out.
  bool operator==(const HealthPolicy&) const = default;
};

// The judgement about one endpoint by probes, and by connections that were refused. No clock, no
// socket. One that is named for the first time is trusted: whoever named it has probed it.
//
//   healthy ──as many failures in a row──▶ failing ──as many passes in a row──▶ healthy
//      └──────────── refused ──▶ refusing ──any probe that connects──▶ failing
class EndpointHealth {
 public:
  // True where the judgement changed.
  bool ObserveProbe(ProbeOutcome outcome, std::string reason, const HealthPolicy& policy);
  // A request was refused: that needs no second opinion.
  bool ObserveRefusal(std::string reason);

  bool healthy() const { return verdict_ == Verdict::kHealthy; }
  // As far as is known. Not healthy ones may still take them.
  bool takes_connections() const { return verdict_ != Verdict::kRefusing; }
  // Of its last failure; empty while it is healthy and has not failed since.
  const std::string& reason() const { return reason_; }

 private:
  enum class Verdict : uint8_t { kHealthy, kFailing, kRefusing };

  bool Become(Verdict verdict);

  Verdict verdict_ = Verdict::kHealthy;
  uint32_t passes_ = 0;    // In a row.
  uint32_t failures_ = 0;  // In a row.
  std::string reason_;
};

}  // namespace gocomet::dataplane
