#include <filesystem>

#include "common/base/file.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_driver.h"
#include "controlplane/runtime/docker_image.h"
#include "driver_under_test.h"

namespace gocomet::controlplane {

std::vector<std::string> DriversUnderTest() { return {"Docker"}; }

std::string ReasonToSkip(const std::string&) {
  const auto engine = ProbeDockerEngine("", std::chrono::seconds(2));
  if (!engine.ok()) return Cat("no Docker engine: ", MessageOf(engine.status()));
  const auto program = ReadFile(GOCOMET_WORKER);
  const bool is_static = program.ok() && IsStaticProgram(*program);
  return is_static ? "" : Cat(GOCOMET_WORKER, " is not a static program in this build");
}

absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeDriver(const std::string&,
                                                          const std::string& state_directory) {
  DockerDriverOptions options;
  options.worker_program = GOCOMET_WORKER;
  options.workers_directory = Cat(state_directory, "/workers");
  options.report_directory = Cat(state_directory, "/report");
  options.cluster = std::filesystem::path(state_directory).filename().string();
  const absl::Status made = MakeDirectories(options.report_directory, 0755);
  if (!made.ok()) return made;
  return MakeDockerDriver(options);
}

}  // namespace gocomet::controlplane
