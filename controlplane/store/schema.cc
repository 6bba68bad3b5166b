#include "controlplane/store/schema.h"

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/store/file_names.h"

namespace gocomet::controlplane {
namespace {

// Times are microseconds since 1970 in UTC. Numbers of incarnations and sequences are unsigned in
// the program and keep their bits here.
//
// `worker_stats` is for readers of earlier versions' files: one row per worker, over all of its
// incarnations; average_response_time is the true mean in milliseconds.
constexpr const char* kFirstSchema = R"sql(
CREATE TABLE revision (
  number INTEGER PRIMARY KEY,
  create_time INTEGER NOT NULL,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  source TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  config_yaml TEXT NOT NULL
) STRICT;

CREATE TABLE worker_total (
  first_seen INTEGER PRIMARY KEY,
  worker_id TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  worker_name TEXT NOT NULL,
  service TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  successful INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  duration_microseconds INTEGER NOT NULL,
  report_time INTEGER NOT NULL,
  UNIQUE (worker_id, incarnation)
) STRICT;

CREATE TABLE balanced_total (
  first_seen INTEGER PRIMARY KEY,
  balancer TEXT NOT NULL,
  balancer_incarnation INTEGER NOT NULL,
  worker_id TEXT NOT NULL,
  worker_incarnation INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  answered_1xx INTEGER NOT NULL,
  answered_2xx INTEGER NOT NULL,
  answered_3xx INTEGER NOT NULL,
  answered_4xx INTEGER NOT NULL,
  answered_5xx INTEGER NOT NULL,
  connect_errors INTEGER NOT NULL,
  resets INTEGER NOT NULL,
  timeouts INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  bytes_to_worker INTEGER NOT NULL,
  bytes_from_worker INTEGER NOT NULL,
  UNIQUE (balancer, balancer_incarnation, worker_id, worker_incarnation)
) STRICT;

CREATE TABLE event (
  sequence INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;

CREATE VIEW worker_stats AS
SELECT
  worker_id,
  strftime('%Y-%m-%d %H:%M:%S', max(report_time) / 1000000, 'unixepoch') AS timestamp,
  sum(successful) AS successful_requests,
  sum(failed) AS failed_requests,
  sum(successful + failed) AS total_requests,
  CASE WHEN sum(successful + failed) = 0 THEN 0.0
    ELSE sum(duration_microseconds) / 1000.0 / sum(successful + failed)
  END AS average_response_time
FROM worker_total
GROUP BY worker_id
ORDER BY min(first_seen);
)sql";

// Rollouts: one row each, replaced while it is under way. `accepted_hashes` are parted by blanks.
constexpr const char* kRollouts = R"sql(
CREATE TABLE rollout (
  id INTEGER PRIMARY KEY,
  service TEXT NOT NULL,
  from_revision INTEGER NOT NULL,
  to_revision INTEGER NOT NULL,
  good_revision INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  good_generation INTEGER NOT NULL,
  cause INTEGER NOT NULL,
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  state INTEGER NOT NULL,
  message TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  template_hash TEXT NOT NULL,
  accepted_hashes TEXT NOT NULL,
  wanted INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  available INTEGER NOT NULL,
  outdated INTEGER NOT NULL,
  lowest_capacity INTEGER NOT NULL,
  workers_replaced INTEGER NOT NULL,
  longest_drain_milliseconds INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  server_errors INTEGER NOT NULL,
  balancer_errors INTEGER NOT NULL,
  retried INTEGER NOT NULL
) STRICT;

CREATE INDEX rollout_of_service ON rollout (service, id);
)sql";

// Of tokens only what cannot be turned back into one is kept. Names are unique among those that
// exist, which the control plane sees to: a batch that is written again meets later rows.
constexpr const char* kAccessTokens = R"sql(
CREATE TABLE access_token (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  expire_time INTEGER NOT NULL,
  author TEXT NOT NULL
) STRICT;
)sql";

constexpr const char* kRolloutLatencies = R"sql(
ALTER TABLE rollout ADD COLUMN p99_before_microseconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollout ADD COLUMN p99_after_microseconds INTEGER NOT NULL DEFAULT 0;
)sql";

constexpr Migration kMigrations[] = {
    {1, kFirstSchema}, {2, kRollouts}, {3, kAccessTokens}, {4, kRolloutLatencies}};

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

absl::Status ApplyMigrations(Database& database, int64_t from,
                             std::span<const Migration> migrations) {
  for (const Migration& migration : migrations) {
    if (migration.version <= from) continue;
    const absl::Status done = database.Execute(migration.sql);
    if (!done.ok()) {
      return WithContext(done, Cat("cannot bring the database to format ", migration.version));
    }
  }
  return database.Execute(Cat("PRAGMA application_id = ", kApplicationId,
                              "; PRAGMA user_version = ", NewestVersion(migrations)));
}

absl::Status MigrateFile(Database& database, const std::string& path, int64_t from,
                         std::span<const Migration> migrations, std::vector<std::string>& notices) {
  std::string copy;
  if (from > 0) {
    copy = FreeNameBeside(path, Cat("format-", from));
    GOCOMET_RETURN_IF_ERROR(
        WithContext(database.CopyTo(copy), Cat("cannot copy the database to ", copy)));
  }
  Transaction transaction(database);
  GOCOMET_RETURN_IF_ERROR(transaction.Begin());
  GOCOMET_RETURN_IF_ERROR(ApplyMigrations(database, from, migrations));
  GOCOMET_RETURN_IF_ERROR(transaction.Commit());
  if (from > 0) {
    notices.push_back(Cat("brought the database ", path, " from format ", from, " to ",
                          NewestVersion(migrations), "; a copy of it as it was is ", copy));
  }
  return absl::OkStatus();
}

}  // namespace gocomet::controlplane
