#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "common/base/clock.h"
#include "ctl/output/table.h"
#include "gocomet/v1/access.pb.h"
#include "gocomet/v1/config.pb.h"

// How single values read in tables and texts. Pure: `now` is an argument.
namespace gocomet::ctl {

// WORKER_STATE_BACK_OFF of WorkerState reads `BackOff`; a number without a name, from a newer
// control plane, reads `Unknown(9)`.
std::string EnumWord(const google::protobuf::EnumDescriptor* type, int number);

template <typename Enum>
std::string WordOf(Enum value) {
  return EnumWord(google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}

// A state word in its colour.
template <typename Enum>
Cell StateCell(Enum value) {
  const std::string word = WordOf(value);
  return {word, ToneOf(word)};
}

// As in config.yaml: `docker`, `process` ….
std::string RuntimeWord(v1::Runtime runtime);

// As the command line takes it: `viewer`, `operator`, `admin`.
std::string RoleWord(v1::Role role);

// Time since, such as `3m20s`; empty for a time that is not set.
std::string Age(const google::protobuf::Timestamp& time, WallTime now);
// Time until, such as `5s`; empty for a time that is not set.
std::string Until(const google::protobuf::Timestamp& time, WallTime now);
// RFC 3339 in UTC with seconds; empty for a time that is not set.
std::string TimeText(const google::protobuf::Timestamp& time);
std::string DurationText(const google::protobuf::Duration& duration);

// `498.2ms`.
std::string Milliseconds(double value);
// `10.8%`; `0.0%` where the whole is 0.
std::string Percent(uint64_t part, uint64_t whole);
std::string YesNo(bool value);
// `1 worker`, `3 workers`.
std::string Count(uint64_t number, std::string_view singular);

}  // namespace gocomet::ctl
