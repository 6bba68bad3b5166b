#include "common/http/body_scanner.h"

#include <algorithm>

#include "common/http/characters.h"

namespace gocomet::http {
namespace {

constexpr uint32_t kSizeDigitsMax = 15;  // No sum of chunks overflows.

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool IsValueByte(char c) { return IsFieldValue(std::string_view(&c, 1)); }
bool IsTokenByte(char c) { return IsToken(std::string_view(&c, 1)); }

}  // namespace

BodyScanner::BodyScanner(const Framing& framing) {
  switch (framing.kind) {
    case BodyKind::kNone:
      state_ = State::kDone;
      break;
    case BodyKind::kLength:
      state_ = State::kLength;
      left_ = framing.length;
      break;
    case BodyKind::kChunked:
      state_ = State::kSize;
      break;
    case BodyKind::kUntilClose:
      state_ = State::kUntilClose;
      break;
  }
}

size_t BodyScanner::Scan(std::string_view bytes, std::string* data) {
  size_t at = 0;
  while (at < bytes.size()) {
    switch (state_) {
      case State::kDone:
      case State::kBad:
        return at;
      case State::kUntilClose:
        if (data != nullptr) data->append(bytes);
        return bytes.size();
      case State::kLength:
      case State::kData: {
        const uint64_t take = std::min<uint64_t>(left_, bytes.size() - at);
        if (data != nullptr) data->append(bytes.substr(at, static_cast<size_t>(take)));
        at += static_cast<size_t>(take);
        left_ -= take;
        if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kDataCr;
        break;
      }
      default:
        if (++framing_bytes_ > kFramingBytesMax || !OnFramingByte(bytes[at])) {
          state_ = State::kBad;
          return at;
        }
        ++at;
    }
  }
  return at;
}

// One step of
//   chunk     = 1*HEXDIG [ extension ] CRLF data CRLF
//   last      = 1*"0" [ extension ] CRLF *( trailer CRLF ) CRLF
// False where the byte may not come here.
bool BodyScanner::OnFramingByte(char c) {
  switch (state_) {
    case State::kSize: {
      const int digit = HexValue(c);
      if (digit >= 0) {
        if (++size_digits_ > kSizeDigitsMax) return false;
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        return true;
      }
      if (size_digits_ == 0) return false;
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (c == ';') {
        state_ = State::kExtension;
        extension_bytes_ = 0;
      } else {
        return false;
      }
      return true;
    }
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
        return true;
      }
      return IsValueByte(c) && ++extension_bytes_ <= kExtensionBytesMax;
    case State::kSizeLf:
      if (c != '\n') return false;
      size_digits_ = 0;
      if (left_ == 0) {
        state_ = State::kTrailerStart;
      } else {
        state_ = State::kData;
        framing_bytes_ = 0;  // Honest data: the bound is on framing without any.
      }
      return true;
    case State::kDataCr:
      state_ = State::kDataLf;
      return c == '\r';
    case State::kDataLf:
      state_ = State::kSize;
      return c == '\n';
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndLf;
        return true;
      }
      state_ = State::kTrailerName;
      name_bytes_ = 0;
      return c != ':' && OnTrailerName(c);
    case State::kTrailerName:
      return OnTrailerName(c);
    case State::kTrailer:
      if (c == '\r') {
        state_ = State::kTrailerLf;
        return true;
      }
      return IsValueByte(c);
    case State::kTrailerLf:
      state_ = State::kTrailerStart;
      return c == '\n';
    case State::kEndLf:
      state_ = State::kDone;
      return c == '\n';
    default:
      return false;
  }
}

bool BodyScanner::OnTrailerName(char c) {
  if (c != ':') {
    if (name_bytes_ < name_.size()) name_[name_bytes_] = c;
    ++name_bytes_;
    return IsTokenByte(c);
  }
  state_ = State::kTrailer;
  return name_bytes_ > name_.size() || !IsForbiddenTrailer(Identify({name_.data(), name_bytes_}));
}

}  // namespace gocomet::http
