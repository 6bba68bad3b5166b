#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "controlplane/runtime/engine_client.h"

namespace gocomet::controlplane {

// The image of the workers: one static program on an empty file system. Its tag follows from its
// content, so it is built only where that has changed. Any thread; one builds, others wait.
class DockerImage {
 public:
  DockerImage(const EngineClient& engine, std::string worker_program);

  // Its name, with the image in place. INVALID_ARGUMENT where the program could not run there;
  // errors of a build hold what it said.
  absl::StatusOr<std::string> Ensure();

  // The same, where Ensure has succeeded before, without asking the engine.
  absl::StatusOr<std::string> Name();

 private:
  absl::StatusOr<EngineAnswer> Look(const std::string& name) const;
  absl::Status Build(const std::string& name, std::string_view program) const;

  const EngineClient& engine_;
  const std::string worker_program_;
  std::mutex mutex_;  // Guards name_, and is held while it is built.
  std::string name_;
};

// `gocomet-worker:<12 hex digits>` for a program with that content.
std::string WorkerImageName(std::string_view program);

// Whether the text is an ELF program that asks for no loader, and so runs where there are no other
// files (Executable and Linkable Format: no program header of type PT_INTERP).
bool IsStaticProgram(std::string_view program);

}  // namespace gocomet::controlplane
