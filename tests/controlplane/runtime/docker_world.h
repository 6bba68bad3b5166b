#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "controlplane/runtime/docker_driver.h"
#include "runtime_world.h"

namespace gocomet::controlplane {

// The Docker driver over some engine of a test, with the smallest worker program there is.
class DockerWorld : public ::testing::Test {
 protected:
  // `patience`: for each call of the engine's API.
  void UseEngine(const std::string& host,
                 std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    // An ELF header that says there is nothing else: a program without a loader.
    std::string program(64, '\0');
    program.replace(0, 4,
                    "\x7f"
                    "ELF");
    DockerDriverOptions options;
    options.docker_host = host;
    options.worker_program = state_.Write("worker", program, 0700);
    options.workers_directory = state_.path() + "/workers";
    options.report_directory = state_.path();
    options.config_directory = state_.path();
    options.cluster = "c1";
    options.call_patience = patience;
    options.pull_patience = pull_patience_;
    auto made = MakeDockerDriver(options);
    ASSERT_TRUE(made.ok()) << made.status();
    driver_ = *std::move(made);
  }

  TemporaryDirectory state_;
  std::chrono::milliseconds pull_patience_{120'000};
  std::unique_ptr<RuntimeDriver> driver_;
};

}  // namespace gocomet::controlplane
