#include "ctl/app/exit_code.h"

#include <gtest/gtest.h>

namespace gocomet::ctl {
namespace {

using Code = absl::StatusCode;

TEST(ExitCode, HasOneMeaningPerNumber) {
  EXPECT_EQ(ExitCodeFor(Code::kOk), 0);
  EXPECT_EQ(ExitCodeFor(Code::kInternal), 1);
  EXPECT_EQ(ExitCodeFor(Code::kInvalidArgument), 2);
  EXPECT_EQ(ExitCodeFor(Code::kNotFound), 3);
  EXPECT_EQ(ExitCodeFor(Code::kAborted), 4);
  EXPECT_EQ(ExitCodeFor(Code::kFailedPrecondition), 4);
  EXPECT_EQ(ExitCodeFor(Code::kDeadlineExceeded), 6);
  EXPECT_EQ(ExitCodeFor(Code::kUnavailable), 8);
  EXPECT_EQ(ExitCodeFor(Code::kPermissionDenied), 9);
  EXPECT_EQ(ExitCodeFor(Code::kUnauthenticated), 9);
}

TEST(ExitCode, OfACodeThatHasNoMeaningOfItsOwnIsAnError) {
  for (const Code code : {Code::kUnimplemented, Code::kUnknown, Code::kDataLoss,
                          Code::kResourceExhausted, Code::kCancelled}) {
    EXPECT_EQ(ExitCodeFor(code), 1) << absl::StatusCodeToString(code);
  }
}

}  // namespace
}  // namespace gocomet::ctl
