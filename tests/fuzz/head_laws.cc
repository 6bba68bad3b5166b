#include <algorithm>
#include <functional>

#include "common/http/framing.h"
#include "common/http/parse_head.h"
#include "common/http/request_rules.h"
#include "common/http/scan.h"
#include "dataplane/proxy/rewrite.h"
#include "tests/fuzz/laws.h"
#include "tests/fuzz/simple_parser.h"

namespace gocomet::fuzz {
namespace {

using http::Parse;

// Small, so that inputs reach them.
constexpr http::HeadLimits kLimits{.head_bytes_max = 2048, .target_bytes_max = 256};
constexpr http::HeadLimits kNoLimits{.head_bytes_max = 1 << 20, .target_bytes_max = 1 << 20};
constexpr size_t kEmptyLinesMax = 4;

using Judge = std::function<http::HeadResult(std::string_view bytes, size_t seen)>;

bool SameFault(const http::Fault& a, const http::Fault& b) {
  return a.status == b.status && std::string_view(a.reason) == b.reason;
}

std::string BrokenByPieces(std::string_view input, const Judge& judge) {
  const http::HeadResult whole = judge(input, 0);
  if (whole.state == Parse::kDone && (whole.consumed == 0 || whole.consumed > input.size())) {
    return "a head that is done lies within the input";
  }
  if (whole.state == Parse::kBad && whole.fault.status == 0) return "a fault has a status";
  for (size_t size = 1; size <= input.size(); ++size) {
    const http::HeadResult slow = judge(input.substr(0, size), size - 1);
    if (slow.state == Parse::kMore) continue;
    if (slow.state != whole.state) return "byte by byte, a head is judged as at once";
    if (slow.state == Parse::kBad) {
      return SameFault(slow.fault, whole.fault) ? "" : "byte by byte, the fault is the same";
    }
    return slow.consumed == whole.consumed && size == whole.consumed
               ? ""
               : "byte by byte, a head is done with its last byte";
  }
  return whole.state == Parse::kDone ? "byte by byte, a head is done too" : "";
}

std::string BrokenByPrefixes(std::string_view input, const Judge& judge) {
  const http::HeadResult whole = judge(input, 0);
  const size_t step = std::max<size_t>(1, input.size() / 64);
  for (size_t size = 0; size < input.size(); size += step) {
    const http::HeadResult part = judge(input.substr(0, size), 0);
    if (part.state == Parse::kBad && !SameFault(part.fault, whole.fault)) {
      return "more bytes do not change a fault";
    }
    if (part.state == Parse::kDone && part.consumed != whole.consumed) {
      return "more bytes do not change the end of a head";
    }
  }
  return "";
}

bool IsWithin(std::string_view view, std::string_view input) {
  return view.empty() ||
         (view.data() >= input.data() && view.data() + view.size() <= input.data() + input.size());
}

bool AreWithin(const http::Fields& fields, std::string_view input) {
  return std::all_of(fields.begin(), fields.end(), [&](const http::Field& field) {
    return IsWithin(field.name, input) && IsWithin(field.value, input);
  });
}

bool SameFields(const http::Fields& fields, const SimpleHead& simple) {
  return std::equal(
      fields.begin(), fields.end(), simple.fields.begin(), simple.fields.end(),
      [](const http::Field& a, const auto& b) { return a.name == b.first && a.value == b.second; });
}

// The fields that a proxy has no business with, in order.
std::vector<std::pair<std::string, std::string>> EndToEnd(const http::Fields& fields) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kOther && field.id != http::FieldId::kVia) continue;
    if (fields.ListHas(http::FieldId::kConnection, field.name)) continue;
    found.emplace_back(field.name, field.value);
  }
  return found;
}

bool SameFraming(const http::Framing& a, const http::Framing& b) {
  return a.ok == b.ok && a.kind == b.kind && a.length == b.length;
}

std::string BrokenByRewritingRequest(const http::RequestHead& head) {
  const http::RequestMeaning meaning = http::UnderstandRequest(head);
  if (!meaning.ok) return meaning.fault.status == 0 ? "a fault has a status" : "";
  std::string out;
  dataplane::AppendRequestHead(head, meaning, {"192.0.2.1", "an-id"}, out);
  http::RequestHead again;
  const http::HeadResult result = http::ParseRequestHead(out, 0, kNoLimits, again);
  if (result.state == Parse::kBad && std::string_view(result.fault.reason) == "too_many_fields") {
    return "";  // Ours came on top.
  }
  if (result.state != Parse::kDone || result.consumed != out.size()) {
    return "what is passed on is one head: " + out;
  }
  const http::RequestMeaning then = http::UnderstandRequest(again);
  if (!then.ok) return "what is passed on is accepted: " + out;
  if (!SameFraming(meaning.framing, then.framing)) return "what is passed on ends alike: " + out;
  if (head.method != again.method) return "what is passed on has the same method: " + out;
  if (EndToEnd(head.fields) != EndToEnd(again.fields)) {
    return "what is passed on has the same fields: " + out;
  }
  return meaning.upgrade == then.upgrade ? "" : "an upgrade is passed on: " + out;
}

std::string BrokenByRewritingResponse(const http::ResponseHead& head, std::string_view method) {
  const http::Framing framing = http::ResponseFraming(head, method);
  if (!framing.ok) return framing.fault.status == 502 ? "" : "a bad response is a 502";
  std::string out;
  dataplane::AppendResponseHead(head, {}, out);
  http::ResponseHead again;
  const http::HeadResult result = http::ParseResponseHead(out, 0, kNoLimits, again);
  if (result.state != Parse::kDone || result.consumed != out.size()) {
    return "what is passed on is one head: " + out;
  }
  if (head.status != again.status) return "what is passed on has the same status: " + out;
  if (!SameFraming(framing, http::ResponseFraming(again, method))) {
    return "what is passed on ends alike: " + out;
  }
  return EndToEnd(head.fields) == EndToEnd(again.fields)
             ? ""
             : "what is passed on has the same fields: " + out;
}

std::string FirstOf(std::initializer_list<std::string> broken) {
  for (const std::string& law : broken) {
    if (!law.empty()) return law;
  }
  return "";
}

}  // namespace

std::string BrokenByScans(std::string_view input) {
  const char* end = input.data() + input.size();
  const size_t step = std::max<size_t>(1, input.size() / 64);
  for (size_t from = 0; from <= input.size(); from += step) {
    const char* at = input.data() + from;
    if (http::vector::PastToken(at, end) != http::scalar::PastToken(at, end)) return "PastToken";
    if (http::vector::PastTarget(at, end) != http::scalar::PastTarget(at, end)) return "PastTarget";
    if (http::vector::PastValue(at, end) != http::scalar::PastValue(at, end)) return "PastValue";
  }
  return "";
}

std::string BrokenByRequestHead(std::string_view input) {
  const Judge judge = [](std::string_view bytes, size_t seen) {
    http::RequestHead head;
    return http::ParseRequestHead(bytes, seen, kLimits, head);
  };
  std::string broken =
      FirstOf({BrokenByScans(input), BrokenByPieces(input, judge), BrokenByPrefixes(input, judge)});
  if (!broken.empty()) return broken;

  http::RequestHead head;
  const http::HeadResult result = http::ParseRequestHead(input, 0, kNoLimits, head);
  const std::optional<SimpleHead> simple = ReadSimpleHead(input, kEmptyLinesMax);
  const auto line = simple ? ReadSimpleRequestLine(simple->first_line) : std::nullopt;
  const bool simple_takes_it = line && simple->fields.size() <= http::kFieldsMax;
  if (simple_takes_it != (result.state == Parse::kDone)) return "the simple parser agrees";
  if (result.state != Parse::kDone) return "";
  if (!IsWithin(head.method, input) || !IsWithin(head.target, input) ||
      !AreWithin(head.fields, input)) {
    return "views lie within the input";
  }
  if (simple->size != result.consumed || line->method != head.method ||
      line->target != head.target || line->minor_version != head.minor_version ||
      !SameFields(head.fields, *simple)) {
    return "the simple parser reads the same";
  }
  return BrokenByRewritingRequest(head);
}

std::string BrokenByResponseHead(std::string_view input) {
  const Judge judge = [](std::string_view bytes, size_t seen) {
    http::ResponseHead head;
    return http::ParseResponseHead(bytes, seen, kLimits, head);
  };
  std::string broken = FirstOf({BrokenByPieces(input, judge), BrokenByPrefixes(input, judge)});
  if (!broken.empty()) return broken;

  http::ResponseHead head;
  const http::HeadResult result = http::ParseResponseHead(input, 0, kNoLimits, head);
  if (result.state == Parse::kBad && result.fault.status != 502) return "a bad response is a 502";
  const std::optional<SimpleHead> simple = ReadSimpleHead(input, 0);
  const auto line = simple ? ReadSimpleStatusLine(simple->first_line) : std::nullopt;
  const bool simple_takes_it = line && simple->fields.size() <= http::kFieldsMax;
  if (simple_takes_it != (result.state == Parse::kDone)) return "the simple parser agrees";
  if (result.state != Parse::kDone) return "";
  if (!IsWithin(head.reason, input) || !AreWithin(head.fields, input)) {
    return "views lie within the input";
  }
  if (simple->size != result.consumed || line->status != head.status ||
      line->reason != head.reason || line->minor_version != head.minor_version ||
      !SameFields(head.fields, *simple)) {
    return "the simple parser reads the same";
  }
  return FirstOf({BrokenByRewritingResponse(head, "GET"), BrokenByRewritingResponse(head, "HEAD")});
}

}  // namespace gocomet::fuzz
