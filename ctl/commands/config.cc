// What changes the desired state by a config text: apply, validate, plan, rollback; and config,
// which shows what it is and was.
#include <functional>
#include <istream>
#include <iterator>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/commands/fetch.h"
#include "ctl/commands/listings.h"
#include "ctl/commands/resource.h"
#include "ctl/commands/rollout_wait.h"
#include "ctl/commands/watch.h"
#include "ctl/output/display_width.h"
#include "ctl/views/config_text.h"

namespace gocomet::ctl {
namespace {

// What the control plane reads of one config.
constexpr size_t kConfigBytesMax = 1 << 20;

struct Options {
  std::string file;
  std::string reason;
  std::string revision;
  uint64_t base_revision = 0;
  std::string from;
  std::string to;
  bool dry_run = false;
  bool wait = false;
  bool rendered = false;
};

// A config text and the name that problems call it by.
struct Source {
  std::string name;
  std::string text;
};

// Standard input up to a byte past the limit, which is enough to know that it is too long.
std::string ReadBounded(std::istream& in) {
  std::string text(kConfigBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

// NOT_FOUND and others of the file system; INVALID_ARGUMENT where the content is no config text.
absl::StatusOr<Source> ReadSource(Session& session, const std::string& file) {
  Source source{.name = file == "-" ? "stdin" : file, .text = ""};
  if (file == "-") {
    source.text = ReadBounded(session.in());
  } else {
    GOCOMET_ASSIGN_OR_RETURN(source.text, ReadFile(file));
  }
  if (source.text.size() > kConfigBytesMax) {
    return absl::InvalidArgumentError(Cat(source.name, ": is longer than the ", kConfigBytesMax,
                                          " bytes that a config may have"));
  }
  if (!IsUtf8(source.text)) {
    return absl::InvalidArgumentError(
        Cat(source.name, ": is not UTF-8 text; save it in that encoding"));
  }
  return source;
}

int FailToRead(Session& session, const absl::Status& status) {
  session.Fail(status);
  return status.code() == absl::StatusCode::kInvalidArgument ? kInvalidConfig : kError;
}

template <typename Request>
Request RequestFor(Source source) {
  Request request;
  request.set_config_yaml(std::move(source.text));
  request.set_file_name(std::move(source.name));
  return request;
}

// For answers that carry the problems. Scripts get them as JSON on standard output.
template <typename Response>
int ShowProblems(Session& session, const Response& response, std::string_view file) {
  if (!session.is_for_people()) session.Show(response, "config", "");
  const int count = response.problems_size();
  session.Note(Cat(ProblemLines(response.problems()), "gocometctl: ", file, " has ", count,
                   count == 1 ? " problem" : " problems", "; nothing changed"));
  return kInvalidConfig;
}

// What works, but not as well as it could.
template <typename Response>
void NoteWarnings(Session& session, const Response& response) {
  const std::string lines = ProblemLines(response.warnings());
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    session.Note(Cat("warning: ", lines.substr(at, end - at)));
    at = end + 1;
  }
}

int Validate(Session& session, const Options& options) {
  auto source = ReadSource(session, options.file);
  if (!source.ok()) return FailToRead(session, source.status());
  const std::string name = source->name;
  const auto answer = session.control_plane().ValidateConfig(
      RequestFor<v1::ValidateConfigRequest>(*std::move(source)));
  if (!answer.ok()) return session.FailConfig(answer.status(), name);
  if (!answer->problems().empty()) return ShowProblems(session, *answer, name);
  NoteWarnings(session, *answer);
  return session.Show(*answer, "config", Cat(name, " is valid\n"));
}

int Plan(Session& session, const Options& options) {
  auto source = ReadSource(session, options.file);
  if (!source.ok()) return FailToRead(session, source.status());
  const std::string name = source->name;
  const auto plan =
      session.control_plane().PlanConfig(RequestFor<v1::PlanConfigRequest>(*std::move(source)));
  if (!plan.ok()) return session.FailConfig(plan.status(), name);
  if (!plan->problems().empty()) return ShowProblems(session, *plan, name);
  if (options.base_revision != 0 && options.base_revision != plan->base_revision()) {
    return session.Fail(absl::AbortedError(Cat("base revision ", options.base_revision,
                                               " is stale; the newest is ", plan->base_revision(),
                                               ": look at it with `gocometctl config show`")));
  }
  NoteWarnings(session, *plan);
  return session.Show(*plan, "config", PlanText(*plan));
}

std::string AppliedText(const v1::ApplyConfigResponse& applied) {
  const std::string name = NameOf(Kind::kRevision, std::to_string(applied.revision().number()));
  return Cat(name, applied.changed() ? " applied\n" : " unchanged\n");
}

int ShowApplied(Session& session, const v1::ApplyConfigResponse& applied) {
  return session.Show(applied, NameOf(Kind::kRevision, std::to_string(applied.revision().number())),
                      AppliedText(applied));
}

// Asks for the change, and waits for what follows where that is wanted.
int Change(Session& session, const Options& options, const std::string& name,
           const std::function<absl::StatusOr<v1::ApplyConfigResponse>()>& ask) {
  const auto change = [&](const auto& then) {
    const auto applied = ask();
    if (!applied.ok()) return session.FailConfig(applied.status(), name);
    NoteWarnings(session, *applied);
    ShowApplied(session, *applied);
    return then(*applied);
  };
  if (!options.wait) return change([](const auto&) -> int { return kOk; });
  int exit_code = kOk;
  const int stopped = session.RunStream([&] {
    absl::Status waited;
    exit_code = change([&](const v1::ApplyConfigResponse& applied) -> int {
      const auto code = WaitForApplied(session, applied);
      waited = code.status();
      return code.value_or(kOk);
    });
    return waited;
  });
  return stopped != kOk ? stopped : exit_code;
}

int Apply(Session& session, const Options& options) {
  if (options.dry_run) return Plan(session, options);
  auto source = ReadSource(session, options.file);
  if (!source.ok()) return FailToRead(session, source.status());
  const std::string name = source->name;
  auto request = RequestFor<v1::ApplyConfigRequest>(*std::move(source));
  request.set_base_revision(options.base_revision);
  request.set_author(session.user());
  request.set_reason(options.reason);
  return Change(session, options, name,
                [&] { return session.control_plane().ApplyConfig(request); });
}

int Rollback(Session& session, const Options& options) {
  const auto revision = ParseRevision(options.revision);
  if (!revision.ok()) return session.Fail(revision.status());
  v1::RollbackConfigRequest request;
  request.set_revision(*revision);
  request.set_base_revision(options.base_revision);
  request.set_author(session.user());
  request.set_reason(options.reason);
  return Change(session, options, Cat("revision ", *revision),
                [&] { return session.control_plane().RollbackConfig(request); });
}

int ShowConfig(Session& session, const Options& options) {
  v1::GetConfigRequest request;
  request.set_rendered(options.rendered);
  if (!options.revision.empty()) {
    const auto revision = ParseRevision(options.revision);
    if (!revision.ok()) return session.Fail(revision.status());
    request.set_revision(*revision);
  }
  const auto config = session.control_plane().GetConfig(request);
  if (!config.ok()) return session.Fail(config.status());
  const std::string number = std::to_string(config->revision().number());
  if (options.rendered && config->rendered_yaml().empty()) {
    return session.Fail(absl::FailedPreconditionError(
        Cat("revision ", number,
            " has no long form that this control plane can give; see its text with `gocometctl "
            "config show --revision ",
            number, "`")));
  }
  std::string text = CleanLines(options.rendered ? config->rendered_yaml() : config->config_yaml());
  if (!text.empty() && text.back() != '\n') text += '\n';
  return session.Show(*config, NameOf(Kind::kRevision, number), text);
}

int ShowHistory(Session& session, const Options&) {
  const auto list = session.control_plane().ListRevisions();
  if (!list.ok()) return session.Fail(list.status());
  return session.Show(ListingOf(*list, session.now()));
}

int WatchHistory(Session& session, const Options&) { return WatchRevisions(session); }

// Between the newest revision and a file: what apply would change.
int DiffFile(Session& session, const Options& options) {
  if (!options.from.empty()) {
    return session.Fail(
        absl::InvalidArgumentError("diff: name either revisions or a file with -f, not both"));
  }
  auto source = ReadSource(session, options.file);
  if (!source.ok()) return FailToRead(session, source.status());
  const std::string name = source->name;
  const auto plan =
      session.control_plane().PlanConfig(RequestFor<v1::PlanConfigRequest>(*std::move(source)));
  if (!plan.ok()) return session.FailConfig(plan.status(), name);
  if (!plan->problems().empty()) return ShowProblems(session, *plan, name);
  const std::string both = Cat("from revision ", plan->base_revision(), " to ", name);
  return session.Show(*plan, "config",
                      plan->changes().empty()
                          ? Cat("no changes ", both, "\n")
                          : Cat("changes ", both, ":\n", ChangeLines(plan->changes())));
}

int Diff(Session& session, const Options& options) {
  if (!options.file.empty()) return DiffFile(session, options);
  if (options.from.empty()) {
    return session.Fail(absl::InvalidArgumentError(
        "diff: name a revision, two of them, or a file with -f; `gocometctl config history` lists "
        "revisions"));
  }
  v1::DiffRevisionsRequest request;
  const auto from = ParseRevision(options.from);
  if (!from.ok()) return session.Fail(from.status());
  request.set_from_revision(*from);
  if (!options.to.empty()) {
    const auto to = ParseRevision(options.to);
    if (!to.ok()) return session.Fail(to.status());
    request.set_to_revision(*to);
  }
  const auto diff = session.control_plane().DiffRevisions(request);
  if (!diff.ok()) return session.Fail(diff.status());
  return session.Show(*diff, "config", DiffText(*diff));
}

CLI::App* AddVerb(CLI::App& app, Session& session, Action& action, const char* name,
                  const char* purpose, int (*run)(Session&, const Options&),
                  const std::shared_ptr<Options>& options) {
  CLI::App* verb = app.add_subcommand(name, purpose);
  verb->callback([&session, &action, run, options] {
    action = [&session, run, options] { return run(session, *options); };
  });
  return verb;
}

void AddFile(CLI::App* verb, Options& options) {
  verb->add_option("-f,--file", options.file, "config file; - reads standard input")->required();
}

void AddChangeOptions(CLI::App* verb, Options& options) {
  verb->add_option("--reason", options.reason, "why, for the list of revisions");
  verb->add_option("--base-revision", options.base_revision,
                   "refuse where this is no longer the newest revision");
  verb->add_flag("--wait", options.wait,
                 "wait until what it changes is ready; exit code 7 where a rollout is not done");
}

void AddRollback(CLI::App& app, Session& session, Action& action,
                 const std::shared_ptr<Options>& options) {
  CLI::App* rollback =
      AddVerb(app, session, action, "rollback",
              "Makes an earlier revision's config the newest revision", Rollback, options);
  rollback->add_option("REVISION", options->revision, "number of the revision")->required();
  AddChangeOptions(rollback, *options);
}

}  // namespace

void AddConfigCommands(CLI::App& app, Session& session, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* apply = AddVerb(app, session, action, "apply",
                            "Makes a config file the newest revision", Apply, options);
  AddFile(apply, *options);
  AddChangeOptions(apply, *options);
  apply->add_flag("--dry-run", options->dry_run, "only say what would change");
  AddFile(AddVerb(app, session, action, "validate", "Checks a config file and changes nothing",
                  Validate, options),
          *options);
  CLI::App* plan =
      AddVerb(app, session, action, "plan", "Shows what apply would do", Plan, options);
  AddFile(plan, *options);
  plan->add_option("--base-revision", options->base_revision,
                   "refuse where this is no longer the newest revision");
  AddRollback(app, session, action, options);

  CLI::App* config = app.add_subcommand("config", "Shows the config that runs, and earlier ones");
  config->require_subcommand(1);
  CLI::App* show = AddVerb(*config, session, action, "show", "Prints the config text of a revision",
                           ShowConfig, options);
  show->alias("view");
  show->add_option("--revision", options->revision, "its number [the newest]");
  show->add_flag("--rendered", options->rendered, "the long form: every key with its value");
  AddVerb(*config, session, action, "history", "Lists the revisions, newest first", ShowHistory,
          options);
  CLI::App* diff =
      AddVerb(*config, session, action, "diff",
              "Shows what differs between two revisions, or the newest and a file", Diff, options);
  diff->add_option("FROM", options->from, "number of the earlier revision");
  diff->add_option("TO", options->to, "number of the later one [the newest]");
  diff->add_option("-f,--file", options->file, "config file; - reads standard input");
  AddVerb(*config, session, action, "watch", "Prints the newest revision, then each that follows",
          WatchHistory, options);
  AddRollback(*config, session, action, options);
}

}  // namespace gocomet::ctl
