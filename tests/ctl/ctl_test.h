#pragma once

#include <string>
#include <vector>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "common/base/clock.h"
#include "tests/ctl/fake_control_plane.h"

namespace gocomet::ctl {

// 2027-01-15T08:00:00Z: what the clock says in these tests.
constexpr int64_t kNowSeconds = 1'800'000'000;
WallTime Now();

// A message as its text form says.
template <typename Message>
Message Make(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A whole run of the program: what it was given, and what it left.
struct Process {
  std::string in;
  bool colours = false;
  std::string server;
  std::string token;
  // Somebody presses Ctrl-C once this has been printed.
  std::string interrupt_after;
};
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};
Outcome RunProgram(const Process& process, const std::vector<std::string>& arguments);

// Commands against a control plane that answers by script.
class CtlTest : public testing::Test {
 protected:
  Outcome Ctl(const std::vector<std::string>& arguments, Process process = {});

  FakeControlPlane fake_;
};

}  // namespace gocomet::ctl
