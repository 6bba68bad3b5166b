// Rollouts: rollout restart, status, list, pause, resume, abort, undo.
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/commands/resource.h"
#include "ctl/commands/rollout_wait.h"
#include "ctl/views/rollouts.h"

namespace gocomet::ctl {
namespace {

struct Options {
  std::string name;  // Empty: the only service.
  std::string reason;
  bool wait = false;
};

// `NAME` and `service/NAME`.
absl::StatusOr<std::string> ServiceName(const std::string& word) {
  const size_t slash = word.find('/');
  if (slash == std::string::npos) return word;
  if (ParseKind(std::string_view(word).substr(0, slash)) != Kind::kService) {
    return absl::InvalidArgumentError(Cat("'", word, "': only services have rollouts"));
  }
  return word.substr(slash + 1);
}

using Ask = std::function<absl::StatusOr<v1::Rollout>(const std::string& service)>;

absl::StatusOr<v1::Rollout> AskFor(const Options& options, const Ask& ask) {
  GOCOMET_ASSIGN_OR_RETURN(const std::string service, ServiceName(options.name));
  return ask(service);
}

int Show(Session& session, const v1::Rollout& rollout) {
  return session.Show(rollout, Cat("rollout/", rollout.id()),
                      Cat(RolloutName(rollout), ": ", ProgressText(rollout), "\n"));
}

// Asks, and waits for the end where that is wanted.
int Run(Session& session, const Options& options, const Ask& ask) {
  if (!options.wait) {
    const auto rollout = AskFor(options, ask);
    return rollout.ok() ? Show(session, *rollout) : session.Fail(rollout.status());
  }
  int exit_code = kOk;
  const int stopped = session.RunStream([&]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(const v1::Rollout begun, AskFor(options, ask));
    GOCOMET_ASSIGN_OR_RETURN(const v1::Rollout ended, WaitForRollout(session, begun));
    exit_code = ShowEnd(session, ended);
    return absl::OkStatus();
  });
  return stopped != kOk ? stopped : exit_code;
}

template <typename Request>
Request RequestFor(Session& session, const Options& options, const std::string& service) {
  Request request;
  request.set_service(service);
  request.set_author(session.user());
  request.set_reason(options.reason);
  return request;
}

int Restart(Session& session, const Options& options) {
  return Run(session, options, [&](const std::string& service) -> absl::StatusOr<v1::Rollout> {
    v1::RestartServiceRequest request;
    request.set_name(service);
    request.set_author(session.user());
    request.set_reason(options.reason);
    GOCOMET_ASSIGN_OR_RETURN(const v1::RestartServiceResponse response,
                             session.control_plane().RestartService(request));
    return response.rollout();
  });
}

int Status(Session& session, const Options& options) {
  const Ask newest = [&](const std::string& service) {
    return session.control_plane().GetRollout(0, service);
  };
  if (options.wait) return Run(session, options, newest);
  const auto rollout = AskFor(options, newest);
  if (!rollout.ok()) return session.Fail(rollout.status());
  return session.Show(*rollout, Cat("rollout/", rollout->id()),
                      DescribeRollout(*rollout, session.now(), session.style()));
}

int List(Session& session, const Options& options) {
  const auto service = ServiceName(options.name);
  if (!service.ok()) return session.Fail(service.status());
  const auto list = session.control_plane().ListRollouts(*service);
  if (!list.ok()) return session.Fail(list.status());
  Listing listing{*list, {}, [&](bool wide) { return RolloutTable(*list, session.now(), wide); }};
  for (const v1::Rollout& rollout : list->rollouts()) {
    listing.names.push_back(Cat("rollout/", rollout.id()));
  }
  return session.Show(listing);
}

int Pause(Session& session, const Options& options) {
  return Run(session, options, [&](const std::string& service) {
    return session.control_plane().PauseRollout(
        RequestFor<v1::PauseRolloutRequest>(session, options, service));
  });
}

int Resume(Session& session, const Options& options) {
  return Run(session, options, [&](const std::string& service) {
    return session.control_plane().ResumeRollout(
        RequestFor<v1::ResumeRolloutRequest>(session, options, service));
  });
}

int Undo(Session& session, const Options& options) {
  return Run(session, options, [&](const std::string& service) {
    return session.control_plane().UndoRollout(
        RequestFor<v1::UndoRolloutRequest>(session, options, service));
  });
}

// Where it goes back, the way back is what there is to wait for.
int Abort(Session& session, const Options& options) {
  int exit_code = kOk;
  const int stopped = session.RunStream([&]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(const std::string service, ServiceName(options.name));
    GOCOMET_ASSIGN_OR_RETURN(const v1::Rollout aborted,
                             session.control_plane().AbortRollout(
                                 RequestFor<v1::AbortRolloutRequest>(session, options, service)));
    exit_code = Show(session, aborted);
    if (!options.wait) return absl::OkStatus();
    GOCOMET_ASSIGN_OR_RETURN(const v1::Rollout newest,
                             session.control_plane().GetRollout(0, aborted.service()));
    if (newest.id() == aborted.id()) return absl::OkStatus();
    GOCOMET_ASSIGN_OR_RETURN(const v1::Rollout ended, WaitForRollout(session, newest));
    exit_code = ShowEnd(session, ended);
    return absl::OkStatus();
  });
  return stopped != kOk ? stopped : exit_code;
}

}  // namespace

void AddRolloutCommands(CLI::App& app, Session& session, Action& action) {
  CLI::App* rollout = app.add_subcommand("rollout", "Shows and steers how workers are replaced");
  rollout->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* purpose,
                       int (*run)(Session&, const Options&)) {
    CLI::App* verb = rollout->add_subcommand(name, purpose);
    verb->add_option("NAME", options->name, "the service [the only one]");
    verb->callback([&session, &action, run, options] {
      action = [&session, run, options] { return run(session, *options); };
    });
    return verb;
  };
  const auto with_reason = [&](CLI::App* verb) {
    verb->add_option("--reason", options->reason, "why, for the list of rollouts");
    return verb;
  };
  const auto with_wait = [&](CLI::App* verb) {
    verb->add_flag("--wait", options->wait, "wait for its end; exit code 7 where it is not done");
    return verb;
  };
  with_wait(with_reason(add("restart", "Replaces a service's workers by fresh ones", Restart)));
  with_wait(add("status", "Shows the newest rollout of a service", Status));
  add("list", "Lists rollouts, the newest first", List)->alias("history");
  with_reason(add("pause", "Lets no further worker be replaced", Pause));
  with_wait(with_reason(add("resume", "Lets a paused rollout go on", Resume)));
  with_wait(with_reason(add("abort", "Gives up the rollout that is under way", Abort)));
  with_wait(with_reason(add("undo", "Goes back to what ran before the last rollout", Undo)));
}

}  // namespace gocomet::ctl
