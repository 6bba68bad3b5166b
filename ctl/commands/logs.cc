#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "ctl/commands/commands.h"
#include "ctl/commands/resource.h"
#include "ctl/output/display_width.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

struct Options {
  std::vector<std::string> workers;
  std::string tail = "100";
  bool follow = false;
  bool timestamps = false;
};

// -1 stands for all.
absl::StatusOr<int32_t> ParseTail(const std::string& text) {
  if (text == "all" || text == "-1") return -1;
  int32_t lines = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, lines);
  if (error == std::errc() && stop == end && lines > 0) return lines;
  return absl::InvalidArgumentError(Cat("--tail '", text, "': expected a number from 1, or all"));
}

// `worker-0 | text`, the name in a colour of its own; one worker alone needs no name.
class LogLines {
 public:
  LogLines(const Options& options, const Style& style)
      : with_names_(options.workers.size() != 1), with_times_(options.timestamps), style_(style) {}

  std::string Draw(const v1::LogLine& line) {
    std::string text;
    if (with_names_) {
      const size_t index = seen_.try_emplace(line.worker_name(), seen_.size()).first->second;
      text = style_.PaintByIndex(OneLine(line.worker_name()) + " |", index) + " ";
    }
    if (with_times_) text += Cat(TimeText(line.time()), " ");
    return text + OneLine(line.text()) + "\n";
  }

 private:
  const bool with_names_;
  const bool with_times_;
  const Style style_;
  std::map<std::string, size_t> seen_;
};

int Logs(Session& session, const Options& options) {
  const auto tail = ParseTail(options.tail);
  if (!tail.ok()) return session.Fail(tail.status());
  v1::StreamLogsRequest request;
  request.set_tail(*tail);
  request.set_follow(options.follow);
  for (const std::string& worker : options.workers) {
    const bool prefixed = worker.starts_with("worker/");
    request.add_workers(prefixed ? worker.substr(worker.find('/') + 1) : worker);
  }
  LogLines lines(options, session.style());
  return session.RunStream([&] {
    return session.control_plane().StreamLogs(request, [&](const v1::LogLine& line) {
      if (session.is_for_people()) return session.Print(lines.Draw(line));
      session.ShowNext({line, {NameOf(Kind::kWorker, line.worker_name())}, nullptr});
    });
  });
}

}  // namespace

void AddLogsCommand(CLI::App& app, Session& session, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* logs = app.add_subcommand("logs", "Shows what workers wrote");
  logs->add_option("WORKER", options->workers, "names or ids; none means all");
  logs->add_flag("-f,--follow", options->follow, "go on with what is written from now on");
  logs->add_option("-n,--tail", options->tail, "last lines of each worker, or all")
      ->capture_default_str();
  logs->add_flag("-t,--timestamps", options->timestamps, "with the time of each line");
  logs->callback([&session, &action, options] {
    action = [&session, options] { return Logs(session, *options); };
  });
}

}  // namespace gocomet::ctl
