#include "controlplane/store/rows.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using Microseconds = std::chrono::microseconds;

int64_t ToMicroseconds(WallTime time) {
  return std::chrono::duration_cast<Microseconds>(time.time_since_epoch()).count();
}

WallTime FromMicroseconds(int64_t count) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(Microseconds(count)));
}

constexpr std::string_view kRolloutColumns =
    "id, service, from_revision, to_revision, good_revision, generation, good_generation, cause, "
    "author, reason, state, message, create_time, end_time, template_hash, accepted_hashes, "
    "wanted, "
    "updated, available, outdated, lowest_capacity, workers_replaced, longest_drain_milliseconds, "
    "requests, server_errors, balancer_errors, retried, p99_before_microseconds, "
    "p99_after_microseconds";

// Calls `take` for each row.
template <typename Take>
absl::Status ForEachRow(Database& database, std::string_view sql, Take take) {
  GOCOMET_ASSIGN_OR_RETURN(Statement rows, database.Prepare(sql));
  while (true) {
    GOCOMET_ASSIGN_OR_RETURN(const bool has_row, rows.Step());
    if (!has_row) return absl::OkStatus();
    take(rows);
  }
}

Revision ReadRevision(const Statement& row) {
  return {row.Unsigned(0), FromMicroseconds(row.Integer(1)),
          row.Text(2),     row.Text(3),
          row.Text(4),     row.Text(5),
          row.Text(6)};
}

WorkerTotals ReadWorkerTotals(const Statement& row) {
  return {row.Text(0),
          row.Unsigned(1),
          row.Text(2),
          row.Text(3),
          row.Unsigned(4),
          {row.Unsigned(5), row.Unsigned(6), row.Unsigned(7)},
          FromMicroseconds(row.Integer(8))};
}

BalancedTotals ReadBalancedTotals(const Statement& row) {
  return {row.Text(0),
          row.Unsigned(1),
          row.Text(2),
          row.Unsigned(3),
          row.Unsigned(4),
          {row.Unsigned(5), row.Unsigned(6), row.Unsigned(7), row.Unsigned(8), row.Unsigned(9)},
          row.Unsigned(10),
          row.Unsigned(11),
          row.Unsigned(12),
          row.Unsigned(13),
          row.Unsigned(14),
          row.Unsigned(15)};
}

Event ReadEvent(const Statement& row) {
  return {row.Unsigned(0),
          FromMicroseconds(row.Integer(1)),
          static_cast<Severity>(row.Integer(2)),
          row.Text(3),
          row.Text(4),
          row.Text(5)};
}

// Hashes are hex digits, so a blank parts them.
std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += Cat(text.empty() ? "" : " ", word);
  return text;
}

std::vector<std::string> Parted(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

RolloutRecord ReadRollout(const Statement& row) {
  RolloutRecord rollout;
  int column = 0;
  rollout.id = row.Unsigned(column++);
  rollout.service = row.Text(column++);
  for (uint64_t* number : {&rollout.from_revision, &rollout.to_revision, &rollout.good_revision,
                           &rollout.generation, &rollout.good_generation}) {
    *number = row.Unsigned(column++);
  }
  rollout.cause = static_cast<RolloutCause>(row.Integer(column++));
  rollout.author = row.Text(column++);
  rollout.reason = row.Text(column++);
  rollout.state = static_cast<RolloutState>(row.Integer(column++));
  rollout.message = row.Text(column++);
  rollout.create_time = FromMicroseconds(row.Integer(column++));
  rollout.end_time = FromMicroseconds(row.Integer(column++));
  rollout.template_hash = row.Text(column++);
  rollout.accepted_hashes = Parted(row.Text(column++));
  RolloutReport& report = rollout.report;
  for (uint32_t* number : {&rollout.wanted, &rollout.updated, &rollout.available, &rollout.outdated,
                           &report.lowest_capacity, &report.workers_replaced}) {
    *number = static_cast<uint32_t>(row.Unsigned(column++));
  }
  report.longest_drain = std::chrono::milliseconds(row.Integer(column++));
  for (uint64_t* number :
       {&report.requests, &report.server_errors, &report.balancer_errors, &report.retried}) {
    *number = row.Unsigned(column++);
  }
  report.p99_before = std::chrono::microseconds(row.Integer(column++));
  report.p99_after = std::chrono::microseconds(row.Integer(column++));
  return rollout;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Nothing where it is no hash: such a token is good for nothing.
std::optional<TokenHash> FromHex(const std::string& text) {
  TokenHash hash;
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (size_t i = 0; i < hash.size(); ++i) {
    const size_t high = kHexDigits.find(text[2 * i]);
    const size_t low = kHexDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    hash[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return hash;
}

std::optional<AccessToken> ReadAccessToken(const Statement& row) {
  const auto role = ParseRole(row.Text(2));
  const auto hash = FromHex(row.Text(3));
  if (!role || !hash) return std::nullopt;
  return AccessToken{row.Text(0),
                     row.Text(1),
                     *role,
                     *hash,
                     FromMicroseconds(row.Integer(4)),
                     FromMicroseconds(row.Integer(5)),
                     row.Text(6)};
}

}  // namespace

absl::StatusOr<StoredState> ReadState(Database& database) {
  StoredState state;
  GOCOMET_RETURN_IF_ERROR(
      ForEachRow(database,
                 "SELECT number, create_time, author, reason, source, content_hash, config_yaml "
                 "FROM revision ORDER BY number",
                 [&](const Statement& row) { state.revisions.push_back(ReadRevision(row)); }));
  GOCOMET_RETURN_IF_ERROR(ForEachRow(
      database,
      "SELECT worker_id, incarnation, worker_name, service, sequence, successful, failed, "
      "duration_microseconds, report_time FROM worker_total ORDER BY first_seen",
      [&](const Statement& row) { state.worker_totals.push_back(ReadWorkerTotals(row)); }));
  GOCOMET_RETURN_IF_ERROR(ForEachRow(
      database,
      "SELECT balancer, balancer_incarnation, worker_id, worker_incarnation, answered, "
      "answered_1xx, answered_2xx, answered_3xx, answered_4xx, answered_5xx, connect_errors, "
      "resets, timeouts, retried, bytes_to_worker, bytes_from_worker "
      "FROM balanced_total ORDER BY first_seen",
      [&](const Statement& row) { state.balanced_totals.push_back(ReadBalancedTotals(row)); }));
  GOCOMET_RETURN_IF_ERROR(
      ForEachRow(database,
                 Cat("SELECT sequence, time, severity, subject, kind, message FROM event "
                     "ORDER BY sequence DESC LIMIT ",
                     kEventsLoaded),
                 [&](const Statement& row) { state.events.push_back(ReadEvent(row)); }));
  GOCOMET_RETURN_IF_ERROR(
      ForEachRow(database, Cat("SELECT ", kRolloutColumns, " FROM rollout ORDER BY id"),
                 [&](const Statement& row) { state.rollouts.push_back(ReadRollout(row)); }));
  std::reverse(state.events.begin(), state.events.end());
  if (!state.events.empty()) state.last_event_sequence = state.events.back().sequence;
  GOCOMET_RETURN_IF_ERROR(ForEachRow(
      database,
      "SELECT id, name, role, hash, create_time, expire_time, author FROM access_token ORDER BY id",
      [&](const Statement& row) {
        if (auto token = ReadAccessToken(row)) state.access_tokens.push_back(*std::move(token));
      }));
  return state;
}

absl::StatusOr<RowWriter> RowWriter::Create(Database& database) {
  RowWriter writer;
  const std::string write_rollout = Cat("INSERT OR REPLACE INTO rollout (", kRolloutColumns,
                                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const std::pair<Statement*, const char*> statements[] = {
      {&writer.revision_,
       "INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO NOTHING"},
      {&writer.worker_,
       "INSERT INTO worker_total (worker_id, incarnation, worker_name, service, sequence, "
       "successful, failed, duration_microseconds, report_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
       "ON CONFLICT (worker_id, incarnation) DO UPDATE SET "
       "worker_name = iif(excluded.worker_name = '', worker_name, excluded.worker_name), "
       "service = iif(excluded.service = '', service, excluded.service), "
       "sequence = excluded.sequence, successful = excluded.successful, failed = excluded.failed, "
       "duration_microseconds = excluded.duration_microseconds, "
       "report_time = excluded.report_time"},
      {&writer.balanced_,
       "INSERT INTO balanced_total (balancer, balancer_incarnation, worker_id, worker_incarnation, "
       "answered, answered_1xx, answered_2xx, answered_3xx, answered_4xx, answered_5xx, "
       "connect_errors, resets, timeouts, retried, bytes_to_worker, bytes_from_worker) "
       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
       "ON CONFLICT (balancer, balancer_incarnation, worker_id, worker_incarnation) DO UPDATE SET "
       "answered = excluded.answered, answered_1xx = excluded.answered_1xx, "
       "answered_2xx = excluded.answered_2xx, answered_3xx = excluded.answered_3xx, "
       "answered_4xx = excluded.answered_4xx, answered_5xx = excluded.answered_5xx, "
       "connect_errors = excluded.connect_errors, resets = excluded.resets, "
       "timeouts = excluded.timeouts, retried = excluded.retried, "
       "bytes_to_worker = excluded.bytes_to_worker, "
       "bytes_from_worker = excluded.bytes_from_worker"},
      {&writer.event_, "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?)"},
      {&writer.prune_, "DELETE FROM event WHERE sequence <= ?"},
      {&writer.rollout_, write_rollout.c_str()},
      {&writer.prune_rollouts_,
       "DELETE FROM rollout WHERE id <= ? AND id NOT IN (SELECT max(id) FROM rollout GROUP BY "
       "service)"},
      {&writer.token_, "INSERT OR REPLACE INTO access_token VALUES (?, ?, ?, ?, ?, ?, ?)"},
      {&writer.delete_token_, "DELETE FROM access_token WHERE id = ?"}};
  for (const auto& [statement, sql] : statements) {
    GOCOMET_ASSIGN_OR_RETURN(*statement, database.Prepare(sql));
  }
  return writer;
}

absl::Status RowWriter::Write(const Revision& revision) {
  revision_.Bind(1, revision.number);
  revision_.Bind(2, ToMicroseconds(revision.create_time));
  revision_.Bind(3, revision.author);
  revision_.Bind(4, revision.reason);
  revision_.Bind(5, revision.source);
  revision_.Bind(6, revision.content_hash);
  revision_.Bind(7, revision.config_yaml);
  return revision_.Run();
}

absl::Status RowWriter::Write(const WorkerTotals& totals) {
  worker_.Bind(1, totals.worker_id);
  worker_.Bind(2, totals.incarnation);
  worker_.Bind(3, totals.worker_name);
  worker_.Bind(4, totals.service);
  worker_.Bind(5, totals.sequence);
  worker_.Bind(6, totals.counters.successful);
  worker_.Bind(7, totals.counters.failed);
  worker_.Bind(8, totals.counters.duration_microseconds);
  worker_.Bind(9, ToMicroseconds(totals.report_time));
  return worker_.Run();
}

absl::Status RowWriter::Write(const BalancedTotals& totals) {
  balanced_.Bind(1, totals.balancer);
  balanced_.Bind(2, totals.balancer_incarnation);
  balanced_.Bind(3, totals.worker_id);
  balanced_.Bind(4, totals.worker_incarnation);
  balanced_.Bind(5, totals.answered);
  int parameter = 6;
  for (const uint64_t count : totals.by_status_class) balanced_.Bind(parameter++, count);
  for (const uint64_t count : {totals.connect_errors, totals.resets, totals.timeouts,
                               totals.retried, totals.bytes_to_worker, totals.bytes_from_worker}) {
    balanced_.Bind(parameter++, count);
  }
  return balanced_.Run();
}

absl::Status RowWriter::Write(const Event& event) {
  event_.Bind(1, event.sequence);
  event_.Bind(2, ToMicroseconds(event.time));
  event_.Bind(3, static_cast<int64_t>(event.severity));
  event_.Bind(4, event.subject);
  event_.Bind(5, event.kind);
  event_.Bind(6, event.message);
  return event_.Run();
}

absl::Status RowWriter::Write(const RolloutRecord& rollout) {
  int parameter = 1;
  const auto bind = [&](const auto& value) { rollout_.Bind(parameter++, value); };
  bind(rollout.id);
  bind(rollout.service);
  for (const uint64_t number : {rollout.from_revision, rollout.to_revision, rollout.good_revision,
                                rollout.generation, rollout.good_generation}) {
    bind(number);
  }
  bind(static_cast<int64_t>(rollout.cause));
  bind(rollout.author);
  bind(rollout.reason);
  bind(static_cast<int64_t>(rollout.state));
  bind(rollout.message);
  bind(ToMicroseconds(rollout.create_time));
  bind(ToMicroseconds(rollout.end_time));
  bind(rollout.template_hash);
  bind(Joined(rollout.accepted_hashes));
  const RolloutReport& report = rollout.report;
  for (const uint32_t number :
       {rollout.wanted, rollout.updated, rollout.available, rollout.outdated,
        report.lowest_capacity, report.workers_replaced}) {
    bind(uint64_t{number});
  }
  bind(int64_t{report.longest_drain.count()});
  for (const uint64_t number :
       {report.requests, report.server_errors, report.balancer_errors, report.retried}) {
    bind(number);
  }
  bind(int64_t{report.p99_before.count()});
  bind(int64_t{report.p99_after.count()});
  return rollout_.Run();
}

absl::Status RowWriter::PruneRollouts(uint64_t newest_id) {
  if (newest_id <= kRolloutsKept) return absl::OkStatus();
  prune_rollouts_.Bind(1, newest_id - kRolloutsKept);
  return prune_rollouts_.Run();
}

absl::Status RowWriter::Write(const AccessTokenChange& change) {
  const AccessToken& token = change.token;
  if (change.is_deleted) {
    delete_token_.Bind(1, token.id);
    return delete_token_.Run();
  }
  token_.Bind(1, token.id);
  token_.Bind(2, token.name);
  token_.Bind(3, ToString(token.role));
  token_.Bind(4, ToHex(token.hash.data(), token.hash.size()));
  token_.Bind(5, ToMicroseconds(token.create_time));
  token_.Bind(6, ToMicroseconds(token.expire_time));
  token_.Bind(7, token.author);
  return token_.Run();
}

absl::Status RowWriter::PruneEvents(uint64_t newest_sequence) {
  if (newest_sequence <= kEventsKept) return absl::OkStatus();
  prune_.Bind(1, newest_sequence - kEventsKept);
  return prune_.Run();
}

}  // namespace gocomet::controlplane
