#include "controlplane/rpc/request_summary.h"

#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/time_util.h>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::util::TimeUtil;

constexpr size_t kValueBytesMax = 128;

std::string OnOneLine(std::string text) {
  if (text.size() > kValueBytesMax) {
    size_t end = kValueBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    text += "…";
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = ' ';
  }
  return text;
}

}  // namespace

RequestSummary SummarizeRequest(const google::protobuf::Message& request) {
  RequestSummary summary;
  const google::protobuf::Reflection* reflection = request.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(request, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string& name = field->name();
    if (name == "config_yaml" || field->is_repeated()) continue;
    const bool is_text = field->type() == FieldDescriptor::TYPE_STRING;
    std::string value;
    if (is_text) {
      value = OnOneLine(reflection->GetString(request, field));
    } else if (field->message_type() == google::protobuf::Duration::descriptor()) {
      value = TimeUtil::ToString(
          static_cast<const google::protobuf::Duration&>(reflection->GetMessage(request, field)));
    } else {
      google::protobuf::TextFormat::Printer printer;
      printer.SetSingleLineMode(true);
      printer.PrintFieldValueToString(request, field, -1, &value);
      value = OnOneLine(value);
    }
    if (name == "author") {
      summary.author = std::move(value);
    } else if (is_text && value.find(' ') != std::string::npos) {
      summary.fields += Cat(" ", name, "='", value, "'");
    } else {
      summary.fields += Cat(" ", name, "=", value);
    }
  }
  return summary;
}

}  // namespace gocomet::controlplane
