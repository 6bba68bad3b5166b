#include "ctl/views/words.h"

#include <chrono>
#include <cstdio>

#include "common/base/duration_text.h"
#include "common/base/text.h"

namespace gocomet::ctl {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `WorkerState` gives `WORKER_STATE_`, the prefix of its values' names.
std::string PrefixOf(std::string_view type) {
  std::string prefix;
  for (size_t i = 0; i < type.size(); ++i) {
    if (i > 0 && type[i] != Lower(type[i])) prefix += '_';
    prefix += static_cast<char>(type[i] >= 'a' && type[i] <= 'z' ? type[i] - 'a' + 'A' : type[i]);
  }
  return prefix + "_";
}

bool IsSet(const google::protobuf::Timestamp& time) {
  return time.seconds() != 0 || time.nanos() != 0;
}

int64_t SecondsOf(WallTime now) {
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

std::string EnumWord(const google::protobuf::EnumDescriptor* type, int number) {
  const google::protobuf::EnumValueDescriptor* value = type->FindValueByNumber(number);
  if (value == nullptr) return Cat("Unknown(", number, ")");
  std::string_view name = value->name();
  const std::string prefix = PrefixOf(type->name());
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::string word;
  bool word_begins = true;
  for (const char c : name) {
    if (c != '_') word += word_begins ? c : Lower(c);
    word_begins = c == '_';
  }
  return word;
}

std::string RuntimeWord(v1::Runtime runtime) {
  std::string word = WordOf(runtime);
  word[0] = Lower(word[0]);
  return word;
}

std::string RoleWord(v1::Role role) {
  switch (role) {
    case v1::ROLE_VIEWER:
      return "viewer";
    case v1::ROLE_OPERATOR:
      return "operator";
    case v1::ROLE_ADMIN:
      return "admin";
    default:
      return WordOf(role);
  }
}

std::string Age(const google::protobuf::Timestamp& time, WallTime now) {
  if (!IsSet(time)) return "";
  return FormatAge(std::chrono::seconds(SecondsOf(now) - time.seconds()));
}

std::string Until(const google::protobuf::Timestamp& time, WallTime now) {
  if (!IsSet(time)) return "";
  return FormatAge(std::chrono::seconds(time.seconds() - SecondsOf(now)));
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (!IsSet(time)) return "";
  const auto seconds = static_cast<time_t>(time.seconds());
  struct tm utc {};
  if (::gmtime_r(&seconds, &utc) == nullptr) return "";
  char text[32];
  const size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text, length};
}

std::string DurationText(const google::protobuf::Duration& duration) {
  return FormatDuration(std::chrono::seconds(duration.seconds()) +
                        std::chrono::microseconds(duration.nanos() / 1000));
}

std::string Milliseconds(double value) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.1fms", value);
  return text;
}

std::string Percent(uint64_t part, uint64_t whole) {
  const double share =
      whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f%%", share);
  return text;
}

std::string YesNo(bool value) { return value ? "yes" : "no"; }

std::string Count(uint64_t number, std::string_view singular) {
  return Cat(number, " ", singular, number == 1 ? "" : "s");
}

}  // namespace gocomet::ctl
