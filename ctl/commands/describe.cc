#include "ctl/views/describe.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/commands/fetch.h"
#include "ctl/commands/resource.h"

namespace gocomet::ctl {
namespace {

// Newest events that are looked through for those about exactly one thing.
constexpr uint64_t kEventsMax = 50;

// Events are an addition: what is described stands without them.
v1::ListEventsResponse EventsAbout(Session& session, Kind kind, const std::string& name) {
  return FetchEvents(session.control_plane(), NameOf(kind, name), kEventsMax)
      .value_or(v1::ListEventsResponse());
}

int DescribeOneWorker(Session& session, const std::string& name) {
  const auto worker = session.control_plane().GetWorker(name);
  if (!worker.ok()) return session.Fail(worker.status());
  const auto events = EventsAbout(session, Kind::kWorker, worker->name());
  return session.Show(*worker, NameOf(Kind::kWorker, worker->name()),
                      DescribeWorker(*worker, events, session.now(), session.style()));
}

int DescribeOneBalancer(Session& session, const std::string& name) {
  const auto balancer = session.control_plane().GetBalancer(name);
  if (!balancer.ok()) return session.Fail(balancer.status());
  const auto events = EventsAbout(session, Kind::kBalancer, balancer->name());
  return session.Show(*balancer, NameOf(Kind::kBalancer, balancer->name()),
                      DescribeBalancer(*balancer, events, session.now(), session.style()));
}

int DescribeOneService(Session& session, const std::string& name) {
  const auto service = session.control_plane().GetService(name);
  if (!service.ok()) return session.Fail(service.status());
  const auto workers = session.control_plane().ListWorkers(service->name());
  if (!workers.ok()) return session.Fail(workers.status());
  const auto events = EventsAbout(session, Kind::kService, service->name());
  return session.Show(*service, NameOf(Kind::kService, service->name()),
                      DescribeService(*service, *workers, events, session.now(), session.style()));
}

int DescribeOne(Session& session, Kind kind, const std::string& name) {
  switch (kind) {
    case Kind::kWorker:
      return DescribeOneWorker(session, name);
    case Kind::kBalancer:
      return DescribeOneBalancer(session, name);
    case Kind::kService:
      return DescribeOneService(session, name);
    case Kind::kRevision:
    case Kind::kEvent:
      break;
  }
  return session.Fail(absl::InvalidArgumentError(
      "describe: expected worker, balancer or service; see `gocometctl get` and `config show`"));
}

int Describe(Session& session, const std::vector<std::string>& words) {
  const auto resources = Resources::Parse(words);
  if (!resources.ok()) return session.Fail(resources.status());
  if (resources->names.empty()) {
    return session.Fail(absl::InvalidArgumentError(
        "describe: expected a name, such as `gocometctl describe worker worker-0`"));
  }
  bool first = true;
  for (const std::string& name : resources->names) {
    if (!first && session.is_for_people()) session.Print("\n");
    first = false;
    if (const int exit_code = DescribeOne(session, resources->kind, name); exit_code != kOk) {
      return exit_code;
    }
  }
  return kOk;
}

}  // namespace

void AddDescribeCommand(CLI::App& app, Session& session, Action& action) {
  auto what = std::make_shared<std::vector<std::string>>();
  CLI::App* describe = app.add_subcommand("describe", "Shows everything known about one thing");
  describe->add_option("WHAT", *what, "worker, balancer or service, then its name; or KIND/NAME")
      ->required();
  describe->callback([&session, &action, what] {
    action = [&session, what] { return Describe(session, *what); };
  });
}

}  // namespace gocomet::ctl
