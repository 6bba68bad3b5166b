#include "controlplane/runtime/docker_log_frames.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/base/text.h"
#include "controlplane/runtime/docker_time.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kHeaderBytes = 8;
constexpr size_t kLineBytesMax = 64 << 10;

size_t LengthIn(std::string_view header) {
  size_t length = 0;
  for (const char c : header.substr(4, 4)) length = length << 8 | static_cast<uint8_t>(c);
  return length;
}

}  // namespace

absl::Status DockerLogFrames::Add(std::string_view bytes, const OnLine& line) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  while (rest.size() >= kHeaderBytes) {
    const auto output = static_cast<uint8_t>(rest[0]);
    const size_t length = LengthIn(rest);
    if (output > 2 || rest.substr(1, 3) != std::string_view("\0\0\0", 3) ||
        length > kFrameBytesMax) {
      return absl::InvalidArgumentError(
          Cat("the log is not a stream of frames: a header begins with ", output, " and says ",
              length, " bytes"));
    }
    if (rest.size() < kHeaderBytes + length) break;
    TakeFrame(output == 2, rest.substr(kHeaderBytes, length), line);
    rest.remove_prefix(kHeaderBytes + length);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return absl::OkStatus();
}

// A long line comes as several frames, each with a time of its own.
void DockerLogFrames::TakeFrame(bool is_stderr, std::string_view text, const OnLine& line) {
  Output& output = outputs_[is_stderr];
  const size_t blank = std::min(text.find(' '), text.size());
  const auto time = ParseDockerTime(text.substr(0, blank));
  if (output.rest.empty()) output.time = time;
  if (time) text.remove_prefix(std::min(blank + 1, text.size()));
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    output.rest.append(text.substr(0, end));
    line(RuntimeLogLine{output.time, is_stderr, std::exchange(output.rest, {})});
    text.remove_prefix(end + 1);
  }
  output.rest.append(text);
  if (output.rest.size() >= kLineBytesMax) {
    line(RuntimeLogLine{output.time, is_stderr, std::exchange(output.rest, {})});
  }
}

void DockerLogFrames::Flush(const OnLine& line) {
  for (const bool is_stderr : {false, true}) {
    Output& output = outputs_[is_stderr];
    if (output.rest.empty()) continue;
    line(RuntimeLogLine{output.time, is_stderr, std::exchange(output.rest, {})});
  }
}

}  // namespace gocomet::controlplane
