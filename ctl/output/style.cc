#include "ctl/output/style.h"

#include <iterator>

#include "common/base/text.h"

namespace gocomet::ctl {
namespace {

constexpr std::string_view kReset = "\033[0m";
constexpr std::string_view kByIndex[] = {"\033[36m", "\033[33m", "\033[32m",
                                         "\033[35m", "\033[34m", "\033[31m"};

std::string_view CodeOf(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kGood:
      return "\033[32m";
    case Tone::kWaiting:
      return "\033[33m";
    case Tone::kBad:
      return "\033[31m";
    case Tone::kFaint:
      return "\033[2m";
  }
  return "";
}

}  // namespace

std::string Style::Paint(std::string_view text, Tone tone) const {
  if (!colours_ || tone == Tone::kPlain) return std::string(text);
  return Cat(CodeOf(tone), text, kReset);
}

std::string Style::PaintByIndex(std::string_view text, size_t index) const {
  if (!colours_) return std::string(text);
  return Cat(kByIndex[index % std::size(kByIndex)], text, kReset);
}

Tone ToneOf(std::string_view word) {
  struct Meaning {
    std::string_view word;
    Tone tone;
  };
  static constexpr Meaning kMeanings[] = {
      {"Ready", Tone::kGood},       {"Pending", Tone::kWaiting}, {"Starting", Tone::kWaiting},
      {"Draining", Tone::kWaiting}, {"Held", Tone::kWaiting},    {"Warning", Tone::kWaiting},
      {"Unhealthy", Tone::kBad},    {"BackOff", Tone::kBad},     {"Error", Tone::kBad},
      {"Disconnected", Tone::kBad}, {"Stopped", Tone::kFaint},   {"Removed", Tone::kFaint},
  };
  for (const Meaning& meaning : kMeanings) {
    if (meaning.word == word) return meaning.tone;
  }
  return Tone::kPlain;
}

}  // namespace gocomet::ctl
