#pragma once

#include <string>
#include <string_view>

namespace gocomet::ctl {

// What a piece of output means; the style decides what that looks like.
enum class Tone { kPlain, kGood, kWaiting, kBad, kFaint };

// For people at a terminal: colours. For everything else: plain text.
class Style {
 public:
  explicit Style(bool colours) : colours_(colours) {}
  static Style Plain() { return Style(false); }

  bool colours() const { return colours_; }
  std::string Paint(std::string_view text, Tone tone) const;
  // One of a few colours, the same for the same index.
  std::string PaintByIndex(std::string_view text, size_t index) const;

 private:
  bool colours_;
};

// The tone of a state or severity word, such as `Ready` or `BackOff`.
Tone ToneOf(std::string_view word);

}  // namespace gocomet::ctl
