#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "ctl/commands/commands.h"
#include "ctl/commands/resource.h"

namespace gocomet::ctl {
namespace {

struct Options {
  std::vector<std::string> words;
  std::string replicas;  // Where it is not among the words.
  uint64_t base_revision = 0;
  std::string reason;
};

// `6`, `NAME 6`, `NAME=6`, and `service/NAME` for NAME.
absl::Status ReadTarget(const std::vector<std::string>& words, v1::ScaleServiceRequest& request) {
  if (words.empty() || words.size() > 2) {
    return absl::InvalidArgumentError(
        "scale: expected one number of workers, as in `gocometctl scale 6`");
  }
  std::string name = words.size() == 2 ? words[0] : "";
  std::string number = words.back();
  if (const size_t equals = number.find('='); words.size() == 1 && equals != std::string::npos) {
    name = number.substr(0, equals);
    number.erase(0, equals + 1);
  }
  if (const size_t slash = name.find('/'); slash != std::string::npos) {
    if (ParseKind(name.substr(0, slash)) != Kind::kService) {
      return absl::InvalidArgumentError(Cat("'", name, "': only services can be scaled"));
    }
    name.erase(0, slash + 1);
  }
  uint32_t replicas = 0;
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, replicas);
  if (error != std::errc() || stop != end) {
    return absl::InvalidArgumentError(
        Cat("'", number, "': expected a number of workers, as in `gocometctl scale 6`"));
  }
  request.set_name(name);
  request.set_replicas(replicas);
  return absl::OkStatus();
}

int Scale(Session& session, const Options& options) {
  v1::ScaleServiceRequest request;
  std::vector<std::string> words = options.words;
  if (!options.replicas.empty()) words.push_back(options.replicas);
  if (const absl::Status read = ReadTarget(words, request); !read.ok()) {
    return session.Fail(read);
  }
  request.set_base_revision(options.base_revision);
  request.set_author(session.user());
  request.set_reason(options.reason);
  const auto scaled = session.control_plane().ScaleService(request);
  if (!scaled.ok()) return session.Fail(scaled.status());
  const std::string name = NameOf(Kind::kService, scaled->service().name());
  return session.Show(*scaled, name,
                      Cat(name, " scaled to ", request.replicas(), " (revision ",
                          scaled->revision().number(), ")\n"));
}

}  // namespace

void AddScaleCommand(CLI::App& app, Session& session, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* scale = app.add_subcommand("scale", "Changes the number of a service's workers");
  scale->add_option("TARGET", options->words, "N for the only service; NAME N or NAME=N otherwise");
  scale->add_option("--replicas", options->replicas, "N, where it does not stand above");
  scale->add_option("--base-revision", options->base_revision,
                    "refuse where this is no longer the newest revision");
  scale->add_option("--reason", options->reason, "why, for the list of revisions");
  scale->callback([&session, &action, options] {
    action = [&session, options] { return Scale(session, *options); };
  });
}

}  // namespace gocomet::ctl
