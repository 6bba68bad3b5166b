#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "controlplane/runtime/process_identity.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

// What is kept of a worker process, in process.json of its directory, so that a later control plane
// knows it. Written before the process starts (without a number), after, and at its end.
struct ProcessRecord {
  std::string instance;
  std::string service;
  uint32_t ordinal = 0;
  uint16_t port = 0;
  std::string template_hash;
  std::string program;
  std::string stop_signal = "SIGTERM";
  bool is_demo = true;  // It says itself which incarnation it is.
  std::string address;
  std::string balancer_address;
  WallTime created{};
  std::string boot_id;      // The machine's start that `process` belongs to.
  ProcessIdentity process;  // pid 0: about to be started.
  std::optional<RuntimeWorker::Exit> exit;
};

std::string ToJson(const ProcessRecord& record);
// INVALID_ARGUMENT where the text is not a record.
absl::StatusOr<ProcessRecord> ParseProcessRecord(std::string_view text);

// As the driver's interface tells it. It runs where it was started and has not ended.
RuntimeWorker ToRuntimeWorker(const ProcessRecord& record);

}  // namespace gocomet::controlplane
