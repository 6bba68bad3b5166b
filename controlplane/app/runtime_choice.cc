#include "controlplane/app/runtime_choice.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_driver.h"
#include "controlplane/runtime/external_driver.h"
#include "controlplane/runtime/process_driver.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kEnginePatience{2};

absl::StatusOr<ChosenRuntime> UseDocker(const std::string& engine, const StateDirectory& state,
                                        const std::string& config_directory,
                                        const std::string& worker_program) {
  DockerDriverOptions options;
  options.worker_program = worker_program;
  options.workers_directory = state.workers_directory();
  options.report_directory = state.report_directory();
  options.config_directory = config_directory;
  options.cluster = state.cluster_name();
  GOCOMET_ASSIGN_OR_RETURN(auto driver, MakeDockerDriver(std::move(options)));
  return ChosenRuntime{WithEndpoints(std::move(driver)), Cat("workers are containers of ", engine)};
}

absl::StatusOr<ChosenRuntime> UseProcesses(const StateDirectory& state,
                                           const std::string& config_directory,
                                           const std::string& worker_program,
                                           const std::string& why) {
  ProcessDriverOptions options;
  options.worker_program = worker_program;
  options.workers_directory = state.workers_directory();
  options.report_socket = state.report_socket();
  options.config_directory = config_directory;
  GOCOMET_ASSIGN_OR_RETURN(auto driver, MakeProcessDriver(std::move(options)));
  return ChosenRuntime{WithEndpoints(std::move(driver)),
                       why.empty() ? "workers are processes of this machine" : why};
}

}  // namespace

absl::StatusOr<ChosenRuntime> ChooseRuntime(RuntimeKind wanted, const StateDirectory& state,
                                            const std::string& config_directory,
                                            const std::string& worker_program) {
  if (wanted == RuntimeKind::kExternal) {
    return ChosenRuntime{MakeExternalDriver(), "workers are run by someone else"};
  }
  if (wanted == RuntimeKind::kProcess)
    return UseProcesses(state, config_directory, worker_program, "");
  const auto engine = ProbeDockerEngine("", kEnginePatience);
  if (engine.ok()) return UseDocker(*engine, state, config_directory, worker_program);
  if (wanted == RuntimeKind::kDocker) {
    return WithContext(engine.status(), "`runtime: docker`, and no Docker engine can be used");
  }
  // Nothing is wrong with a machine that has no engine; one that cannot be used comes with advice.
  std::string_view problem = MessageOf(engine.status());
  if (engine.status().code() == absl::StatusCode::kNotFound) {
    problem = problem.substr(0, problem.find(';'));
  }
  return UseProcesses(state, config_directory, worker_program, std::string(problem));
}

}  // namespace gocomet::controlplane
