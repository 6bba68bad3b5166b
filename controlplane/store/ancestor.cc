#include "controlplane/store/ancestor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <unordered_map>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/store/file_names.h"
#include "controlplane/store/rows.h"
#include "controlplane/store/schema.h"

namespace gocomet::controlplane {
namespace {

// What doubles hold exactly; also the ledger's limit for a counter.
constexpr int64_t kCountMax = int64_t{1} << 53;

uint64_t Count(int64_t value) {
  return static_cast<uint64_t>(std::clamp<int64_t>(value, 0, kCountMax));
}

uint64_t DurationMicroseconds(double average_milliseconds, uint64_t requests) {
  const double sum = average_milliseconds * 1000.0 * static_cast<double>(requests);
  if (!(sum > 0)) return 0;  // Also for NaN.
  return static_cast<uint64_t>(std::llround(std::min(sum, static_cast<double>(kCountMax))));
}

// Seconds since 1970, or milliseconds where seconds would be beyond the year 2255.
WallTime TimeOf(int64_t number) {
  constexpr int64_t kSecondsMax = 9'000'000'000;
  if (number < 0 || number > kSecondsMax * 1000) return {};
  if (number > kSecondsMax) return WallTime(std::chrono::milliseconds(number));
  return WallTime(std::chrono::seconds(number));
}

// `timestamp` holds `YYYY-MM-DD HH:MM:SS` with or without fraction and zone, or a number.
constexpr const char* kRows = R"sql(
SELECT worker_id, CAST(successful_requests AS INTEGER), CAST(failed_requests AS INTEGER),
  CAST(total_requests AS INTEGER), CAST(average_response_time AS REAL),
  CAST(CASE WHEN typeof(timestamp) IN ('integer', 'real') THEN timestamp
    ELSE coalesce(strftime('%s', timestamp), strftime('%s', substr(timestamp, 1, 19)), 0)
  END AS INTEGER)
FROM worker_stats)sql";

}  // namespace

absl::StatusOr<bool> HoldsAncestorTable(Database& database) {
  GOCOMET_ASSIGN_OR_RETURN(
      const int64_t columns,
      database.QueryInteger(
          "SELECT count(*) FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
          "WHERE s.type = 'table' AND lower(s.name) = 'worker_stats' AND lower(c.name) IN "
          "('worker_id', 'timestamp', 'successful_requests', 'failed_requests', 'total_requests', "
          "'average_response_time')"));
  return columns == 6;
}

absl::StatusOr<AncestorRows> ReadAncestor(Database& database) {
  struct Best {
    size_t place = 0;
    int64_t total = 0;
  };
  AncestorRows result;
  std::unordered_map<std::string, Best> best;
  GOCOMET_ASSIGN_OR_RETURN(Statement rows, database.Prepare(kRows));
  while (true) {
    GOCOMET_ASSIGN_OR_RETURN(const bool has_row, rows.Step());
    if (!has_row) return result;
    WorkerTotals totals;
    totals.worker_id = rows.Text(0);
    totals.service = Service{}.name;
    totals.counters.successful = Count(rows.Integer(1));
    totals.counters.failed = Count(rows.Integer(2));
    totals.counters.duration_microseconds =
        DurationMicroseconds(rows.Real(4), totals.counters.total());
    totals.report_time = TimeOf(rows.Integer(5));
    if (totals.worker_id.empty()) {
      ++result.without_id;
      continue;
    }
    const int64_t total = rows.Integer(3);
    const auto [found, is_new] =
        best.try_emplace(totals.worker_id, Best{result.totals.size(), total});
    if (is_new) {
      result.totals.push_back(std::move(totals));
    } else if (total >= found->second.total) {
      found->second.total = total;
      result.totals[found->second.place] = std::move(totals);
    }
  }
}

absl::Status TakeOverAncestor(Database& database, const std::string& path,
                              std::vector<std::string>& notices) {
  const std::string copy = FreeNameBeside(path, "ancestor");
  GOCOMET_RETURN_IF_ERROR(
      WithContext(database.CopyTo(copy), Cat("cannot copy the database to ", copy)));
  Transaction transaction(database);
  GOCOMET_RETURN_IF_ERROR(transaction.Begin());
  GOCOMET_ASSIGN_OR_RETURN(const AncestorRows rows, ReadAncestor(database));
  GOCOMET_RETURN_IF_ERROR(database.Execute("DROP TABLE worker_stats"));
  GOCOMET_RETURN_IF_ERROR(ApplyMigrations(database, 0, Migrations()));
  GOCOMET_ASSIGN_OR_RETURN(RowWriter writer, RowWriter::Create(database));
  for (const WorkerTotals& totals : rows.totals) GOCOMET_RETURN_IF_ERROR(writer.Write(totals));
  GOCOMET_RETURN_IF_ERROR(transaction.Commit());
  std::string notice =
      Cat("took over the numbers of ", rows.totals.size(), " workers from the earlier database ",
          path, "; a copy of it as it was is ", copy);
  if (rows.without_id > 0) {
    notice += Cat(" (", rows.without_id, " rows without a worker_id are only there)");
  }
  notices.push_back(std::move(notice));
  return absl::OkStatus();
}

}  // namespace gocomet::controlplane
