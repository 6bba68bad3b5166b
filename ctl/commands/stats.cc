#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "ctl/commands/commands.h"
#include "ctl/commands/resource.h"
#include "ctl/views/tables.h"

namespace gocomet::ctl {
namespace {

struct Options {
  std::string service;
  bool all = false;
};

int Stats(Session& session, const Options& options) {
  v1::GetStatisticsRequest request;
  request.set_service(options.service);
  // A table sums them up in one row; scripts get what they asked for.
  request.set_include_retired(options.all || session.is_for_people());
  const auto statistics = session.control_plane().GetStatistics(request);
  if (!statistics.ok()) return session.Fail(statistics.status());
  Listing listing{*statistics, {}, [&](bool wide) {
                    return StatisticsTable(*statistics, session.now(), options.all, wide);
                  }};
  for (const v1::WorkerStatistics& worker : statistics->workers()) {
    listing.names.push_back(NameOf(Kind::kWorker, worker.worker_name()));
  }
  return session.Show(listing);
}

}  // namespace

void AddStatsCommand(CLI::App& app, Session& session, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* stats = app.add_subcommand("stats", "Shows exact request counts, per worker and total");
  stats->add_option("--service", options->service, "only this service's workers");
  stats->add_flag("-a,--all", options->all, "with a row for each worker that no longer exists");
  stats->callback([&session, &action, options] {
    action = [&session, options] { return Stats(session, *options); };
  });
}

}  // namespace gocomet::ctl
