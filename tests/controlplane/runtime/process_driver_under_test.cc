#include "common/base/text.h"
#include "controlplane/runtime/process_driver.h"
#include "driver_under_test.h"

namespace gocomet::controlplane {

std::vector<std::string> DriversUnderTest() { return {"Process"}; }

std::string ReasonToSkip(const std::string&) { return ""; }

absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeDriver(const std::string&,
                                                          const std::string& state_directory) {
  ProcessDriverOptions options;
  options.worker_program = GOCOMET_WORKER;
  options.workers_directory = Cat(state_directory, "/workers");
  options.report_socket = Cat(state_directory, "/report.sock");
  return MakeProcessDriver(options);
}

}  // namespace gocomet::controlplane
