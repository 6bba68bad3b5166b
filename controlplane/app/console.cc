#include "controlplane/app/console.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{1000};
constexpr std::chrono::milliseconds kBannerPoll{100};
constexpr std::chrono::seconds kBannerPatience{10};
constexpr size_t kEventLinesMax = 1000;

std::string ClockTime(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[16];
  std::strftime(text, sizeof(text), "%H:%M:%S", &parts);
  return text;
}

winsize TerminalSize() {
  winsize size{};
  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  if (size.ws_col == 0) size.ws_col = 80;
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

Console::Console(Banner banner, std::function<void()> ask)
    : banner_(std::move(banner)),
      ask_(std::move(ask)),
      is_terminal_(::isatty(STDOUT_FILENO) == 1),
      colours_(is_terminal_ && std::getenv("NO_COLOR") == nullptr),
      thread_([this] { Run(); }) {}

Console::~Console() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Console::Show(Overview overview) {
  const std::lock_guard hold(mutex_);
  overview_ = std::move(overview);
  wake_.notify_one();
}

void Console::ShowEvent(const Event& event) {
  const char* mark = event.severity == Severity::kError     ? "ERROR "
                     : event.severity == Severity::kWarning ? "WARN  "
                                                            : "      ";
  const std::lock_guard hold(mutex_);
  // The banner tells a person what has come up; until then only trouble is news.
  if (is_terminal_ && !banner_shown_.load() && event.severity == Severity::kInfo) return;
  event_lines_.push_back(
      Printable(Cat(ClockTime(event.time), " ", mark, event.subject, ": ", event.message)));
  if (event_lines_.size() > kEventLinesMax) event_lines_.pop_front();
  wake_.notify_one();
}

void Console::Run() {
  ::pthread_setname_np(::pthread_self(), "console");
  const auto started = std::chrono::steady_clock::now();
  auto next_ask = started;
  std::unique_lock hold(mutex_);
  while (!stopping_) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_ask) {
      next_ask = now + (banner_shown_ ? kRedrawEvery : kBannerPoll);
      hold.unlock();
      ask_();
      hold.lock();
    }
    wake_.wait_until(hold, next_ask, [this] {
      return stopping_ || overview_.has_value() || !event_lines_.empty();
    });
    const std::optional<Overview> overview = std::exchange(overview_, std::nullopt);
    std::deque<std::string> lines = std::exchange(event_lines_, {});
    hold.unlock();
    if (!lines.empty()) {
      EraseLiveState();
      for (const std::string& line : lines) Print(line + "\n");
    }
    if (overview) {
      const bool late = std::chrono::steady_clock::now() - started > kBannerPatience;
      if (!banner_shown_ && (overview->converged || late)) {
        banner_shown_ = true;
        Print(Cat("\n", DrawBanner(banner_, *overview), "\n"));
      }
      if (banner_shown_ && is_terminal_) Redraw(*overview);
    }
    hold.lock();
  }
  hold.unlock();
  EraseLiveState();
}

void Console::Redraw(const Overview& overview) {
  const auto now = std::chrono::steady_clock::now();
  double rate = 0;
  if (last_drawn_ && overview.requests >= last_requests_) {
    const double seconds = std::chrono::duration<double>(now - *last_drawn_).count();
    rate = static_cast<double>(overview.requests - last_requests_) / std::max(seconds, 0.001);
  }
  last_drawn_ = now;
  last_requests_ = overview.requests;
  EraseLiveState();
  const winsize size = TerminalSize();
  drawn_ = DrawLiveState(overview, rate, {size.ws_col, size.ws_row, colours_});
  Print(drawn_);
}

// A window that has become narrower since has folded the lines. What a key press has echoed, such
// as ^C, stands behind them.
void Console::EraseLiveState() {
  if (drawn_.empty()) return;
  const size_t columns = TerminalSize().ws_col;
  size_t rows = 0;
  size_t width = 0;
  bool in_colour_code = false;
  for (const char c : drawn_) {
    if (c == '\n') {
      rows += width == 0 ? 1 : (width + columns - 1) / columns;
      width = 0;
    } else if (c == '\033') {
      in_colour_code = true;
    } else if (in_colour_code) {
      in_colour_code = c != 'm';
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {  // Not inside a UTF-8 character.
      ++width;
    }
  }
  Print(Cat("\r\033[", rows, "A\033[J"));
  drawn_.clear();
}

}  // namespace gocomet::controlplane
