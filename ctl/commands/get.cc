#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "ctl/commands/commands.h"
#include "ctl/commands/fetch.h"
#include "ctl/commands/listings.h"
#include "ctl/commands/resource.h"
#include "ctl/commands/watch.h"

namespace gocomet::ctl {
namespace {

struct Options {
  std::vector<std::string> what;
  std::string service;
  uint64_t limit = 100;
  bool watch = false;
};

template <typename List>
int ShowList(Session& session, const absl::StatusOr<List>& list) {
  if (!list.ok()) return session.Fail(list.status());
  return session.Show(ListingOf(*list, session.now()));
}

absl::StatusOr<std::string> SubjectOf(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  if (names.size() == 1) return names[0];
  return absl::InvalidArgumentError("events: name one subject, such as worker/worker-0");
}

int Watch(Session& session, const Resources& resources, const Options& options) {
  switch (resources.kind) {
    case Kind::kWorker:
      return WatchWorkers(session, resources.names, options.service);
    case Kind::kBalancer:
      return WatchBalancers(session, resources.names);
    case Kind::kService:
      return WatchServices(session, resources.names);
    case Kind::kRevision:
      return WatchRevisions(session);
    case Kind::kEvent:
      break;
  }
  const auto subject = SubjectOf(resources.names);
  if (!subject.ok()) return session.Fail(subject.status());
  return WatchEvents(session, *subject, options.limit);
}

int List(Session& session, const Resources& resources, const Options& options) {
  ControlPlane& control_plane = session.control_plane();
  switch (resources.kind) {
    case Kind::kWorker:
      return ShowList(session, FetchWorkers(control_plane, resources.names, options.service));
    case Kind::kBalancer:
      return ShowList(session, FetchBalancers(control_plane, resources.names));
    case Kind::kService:
      return ShowList(session, FetchServices(control_plane, resources.names));
    case Kind::kRevision:
      return ShowList(session, FetchRevisions(control_plane, resources.names));
    case Kind::kEvent:
      break;
  }
  const auto subject = SubjectOf(resources.names);
  if (!subject.ok()) return session.Fail(subject.status());
  return ShowList(session, FetchEvents(control_plane, *subject, options.limit));
}

int Get(Session& session, const Options& options) {
  const auto resources = Resources::Parse(options.what);
  if (!resources.ok()) return session.Fail(resources.status());
  return options.watch ? Watch(session, *resources, options) : List(session, *resources, options);
}

}  // namespace

void AddGetCommand(CLI::App& app, Session& session, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* get =
      app.add_subcommand("get", "Lists workers, balancers, services, revisions, events");
  get->add_option("WHAT", options->what,
                  "workers (wk), balancers (lb), services (svc), revisions (rev) or events (ev), "
                  "then names; or KIND/NAME")
      ->required();
  get->add_option("--service", options->service, "only this service's workers");
  get->add_option("--limit", options->limit, "newest events to show; 0 shows all")
      ->capture_default_str();
  get->add_flag("-w,--watch", options->watch, "go on with every change");
  get->callback([&session, &action, options] {
    action = [&session, options] { return Get(session, *options); };
  });
}

void AddEventsCommand(CLI::App& app, Session& session, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* events = app.add_subcommand("events", "Shows what happened, the newest last");
  events->add_option("SUBJECT", options->what, "only about this, such as worker/worker-0");
  events->add_option("--limit", options->limit, "newest events to show; 0 shows all")
      ->capture_default_str();
  events->add_flag("-w,--watch", options->watch, "go on with every new one");
  events->callback([&session, &action, options] {
    action = [&session, options] {
      options->what.insert(options->what.begin(), "events");
      return Get(session, *options);
    };
  });
}

}  // namespace gocomet::ctl
