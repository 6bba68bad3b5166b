#include "dataplane/observe/access_record.h"

#include <charconv>
#include <concepts>
#include <cstring>
#include <utility>

#include "common/http/characters.h"
#include "common/http/message.h"
#include "dataplane/observe/json_text.h"
#include "dataplane/observe/rfc3339.h"

namespace gocomet::dataplane {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

void AppendNumber(std::integral auto number, std::string& out) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), number);
  out.append(digits, end);
}

void AppendText(std::string_view name, std::string_view text, std::string& out) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  AppendJsonText(text, out);
}

void AppendCount(std::string_view name, std::integral auto number, std::string& out) {
  out.append(",\"").append(name).append("\":");
  AppendNumber(number, out);
}

void AppendMicroseconds(std::string_view name, nanoseconds span, std::string& out) {
  AppendCount(name, std::chrono::round<microseconds>(span).count(), out);
}

// The begin of each line.
void AppendTime(nanoseconds since_1970, std::string& out) {
  out.append("{\"time\":\"");
  AppendRfc3339(since_1970, out);
  out.push_back('"');
}

// Who may not know a service's secrets may still read its log.
std::string_view WithoutQuery(std::string_view target) {
  return target.substr(0, target.find_first_of("?#"));
}

// The part of a target before the name of a host that names a user (RFC 3986, 3.2.1): its begin and
// length. A target that is a path has none.
std::pair<size_t, size_t> UserOf(std::string_view target) {
  if (target.starts_with('/')) return {0, 0};
  const size_t scheme = target.find("://");
  const size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t end = target.find_first_of("/?#", begin);
  const size_t at = target.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return {0, 0};
  return {begin, at + 1 - begin};
}

void AppendTarget(std::string_view target, bool with_query, std::string& out) {
  const auto [begin, length] = UserOf(target);
  if (length == 0) return AppendText("target", with_query ? target : WithoutQuery(target), out);
  std::string public_target(target);
  public_target.erase(begin, length);
  AppendText("target", with_query ? public_target : WithoutQuery(public_target), out);
}

}  // namespace

RequestOutline OutlineOf(std::string_view head) {
  RequestOutline outline;
  bool is_first = true;
  while (true) {
    const size_t end = head.find('\n');
    if (end == std::string_view::npos) return outline;
    std::string_view line = head.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    head.remove_prefix(end + 1);
    if (is_first) {
      if (line.empty()) continue;  // Before a request (RFC 9112, 2.2).
      is_first = false;
      const size_t target = line.find(' ');
      const size_t protocol = line.rfind(' ');
      if (target == std::string_view::npos || !http::IsToken(line.substr(0, target))) continue;
      outline.method = line.substr(0, target);
      if (protocol == target) {
        outline.target = line.substr(target + 1);
      } else {
        outline.target = line.substr(target + 1, protocol - target - 1);
        outline.protocol = line.substr(protocol + 1);
      }
      continue;
    }
    if (line.empty()) return outline;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = http::TrimWhiteSpace(line.substr(colon + 1));
    if (outline.host.empty() && http::EqualsIgnoringCase(name, "Host")) outline.host = value;
    if (outline.request_id.empty() && http::EqualsIgnoringCase(name, "X-Request-Id")) {
      outline.request_id = value;
    }
  }
}

void AppendAccessLine(const AccessRecord& record, bool with_query, std::string& out) {
  AppendTime(record.began, out);
  AppendText("client", record.client, out);
  AppendText("request_id", record.request_id, out);
  AppendText("method", record.method, out);
  AppendTarget(record.target, with_query, out);
  AppendText("protocol", record.protocol, out);
  AppendText("host", record.host, out);
  if (record.status != 0) AppendCount("status", record.status, out);
  AppendText("error", record.error, out);
  AppendText("route", record.route, out);
  AppendText("service", record.service, out);
  AppendText("worker", record.worker_id, out);
  if (!record.worker_id.empty())
    out.append(record.reused ? ",\"reused\":true" : ",\"reused\":false");
  AppendCount("retries", record.retries, out);
  AppendCount("bytes_in", record.bytes_in, out);
  AppendCount("bytes_out", record.bytes_out, out);
  AppendMicroseconds("duration_us", record.duration, out);
  if (record.worker_time) AppendMicroseconds("worker_us", *record.worker_time, out);
  AppendMicroseconds("own_us", record.own, out);
  out.append("}\n");
}

void AppendDroppedLine(nanoseconds now, uint64_t dropped, std::string& out) {
  AppendTime(now, out);
  AppendCount("dropped", dropped, out);
  out.append("}\n");
}

PackedRecord::PackedRecord(const AccessRecord& record)
    : numbers_{.began = record.began.count(),
               .duration = record.duration.count(),
               .own = record.own.count(),
               .worker_time = record.worker_time.value_or(nanoseconds(0)).count(),
               .bytes_in = record.bytes_in,
               .bytes_out = record.bytes_out,
               .retries = record.retries,
               .status = record.status,
               .has_worker_time = record.worker_time.has_value(),
               .reused = record.reused},
      parts_{std::string_view(reinterpret_cast<const char*>(&numbers_), sizeof(numbers_)),
             record.client,
             record.request_id,
             record.method,
             record.target,
             record.protocol,
             record.host,
             record.route,
             record.service,
             record.worker_id,
             record.error} {
  for (size_t i = 1; i < kParts; ++i) {
    numbers_.lengths[i - 1] = static_cast<uint32_t>(parts_[i].size());
  }
}

AccessRecord PackedRecord::Unpack(std::string_view bytes) {
  Numbers numbers;
  std::memcpy(&numbers, bytes.data(), sizeof(numbers));
  bytes.remove_prefix(sizeof(numbers));
  AccessRecord record;
  record.began = nanoseconds(numbers.began);
  record.duration = nanoseconds(numbers.duration);
  record.own = nanoseconds(numbers.own);
  if (numbers.has_worker_time) record.worker_time = nanoseconds(numbers.worker_time);
  record.bytes_in = numbers.bytes_in;
  record.bytes_out = numbers.bytes_out;
  record.retries = numbers.retries;
  record.status = numbers.status;
  record.reused = numbers.reused;
  std::string_view* const texts[] = {
      &record.client, &record.request_id, &record.method,  &record.target,    &record.protocol,
      &record.host,   &record.route,      &record.service, &record.worker_id, &record.error};
  for (size_t i = 0; i < kParts - 1; ++i) {
    *texts[i] = bytes.substr(0, numbers.lengths[i]);
    bytes.remove_prefix(numbers.lengths[i]);
  }
  return record;
}

}  // namespace gocomet::dataplane
