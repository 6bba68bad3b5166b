#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

// Takes the engine's log stream apart. Both outputs of a container come in one stream of frames:
// one byte for the output (1 stdout, 2 stderr), three of zero, the length as four bytes, biggest
// first, then the text (Docker Engine API, "Attach to a container", "Stream format"). With
// `timestamps=1` each frame begins with a time and a blank. One thread at a time.
class DockerLogFrames {
 public:
  using OnLine = std::function<void(RuntimeLogLine)>;

  static constexpr size_t kFrameBytesMax = 1 << 20;

  // Takes bytes however they were cut. INVALID_ARGUMENT where they are no such stream; nothing can
  // be added then.
  absl::Status Add(std::string_view bytes, const OnLine& line);
  // At the end: lines without an end.
  void Flush(const OnLine& line);

 private:
  struct Output {
    std::optional<WallTime> time;  // Of the line's first frame.
    std::string rest;
  };

  void TakeFrame(bool is_stderr, std::string_view text, const OnLine& line);

  std::string pending_;
  std::array<Output, 2> outputs_;  // By is_stderr.
};

}  // namespace gocomet::controlplane
