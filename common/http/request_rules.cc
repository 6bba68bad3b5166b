#include "common/http/request_rules.h"

namespace gocomet::http {
namespace {

bool HasGoodHost(const RequestHead& head) {
  const size_t hosts = head.fields.Count(FieldId::kHost);
  if (hosts == 0) return head.minor_version == 0;
  return hosts == 1 && IsHost(head.fields.Find(FieldId::kHost)->value);
}

bool AsksForUpgrade(const RequestHead& head, const ConnectionOptions& connection) {
  return head.minor_version == 1 && connection.upgrade &&
         head.fields.Count(FieldId::kUpgrade) == 1 &&
         !head.fields.Find(FieldId::kUpgrade)->value.empty() &&
         !head.fields.ListHas(FieldId::kUpgrade, "h2c");
}

Fault FaultOf(const RequestHead& head, TargetForm form) {
  if (!HasGoodHost(head)) {
    return {400, "host", "exactly one Host is needed, a name or an address"};
  }
  if (head.method == "CONNECT") return {501, "connect", "CONNECT is not supported"};
  if (form == TargetForm::kOther) {
    return {400, "target", "the target is neither a path nor an http URI"};
  }
  const Field* expect = head.fields.Find(FieldId::kExpect);
  if (expect != nullptr && (head.fields.Count(FieldId::kExpect) > 1 ||
                            !EqualsIgnoringCase(expect->value, "100-continue"))) {
    return {417, "expect", "the expectation is unknown"};
  }
  return {0, ""};
}

}  // namespace

RequestMeaning UnderstandRequest(const RequestHead& head) {
  RequestMeaning meaning;
  meaning.connection = ReadConnectionOptions(head.fields);
  meaning.persists = Persists(meaning.connection, head.minor_version);
  meaning.form = FormOf(head.method, head.target);
  meaning.fault = FaultOf(head, meaning.form);
  meaning.ok = meaning.fault.status == 0;
  if (!meaning.ok) return meaning;
  meaning.framing = RequestFraming(head);
  meaning.ok = meaning.framing.ok;
  meaning.fault = meaning.framing.fault;
  meaning.upgrade = AsksForUpgrade(head, meaning.connection);
  meaning.trailers = head.minor_version == 1 && meaning.connection.te &&
                     head.fields.ListHas(FieldId::kTe, "trailers");
  return meaning;
}

}  // namespace gocomet::http
