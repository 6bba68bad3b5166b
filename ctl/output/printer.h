#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "ctl/output/style.h"
#include "ctl/output/table.h"

namespace gocomet::ctl {

enum class OutputForm { kTable, kWide, kJson, kYaml, kName };

// `table`, `wide`, `json`, `yaml`, `name`; none for any other text.
std::optional<OutputForm> ParseOutputForm(std::string_view text);

// Something that can be shown in every form. It refers to `message`, which must outlive it.
struct Listing {
  const google::protobuf::Message& message;  // For json and yaml.
  std::vector<std::string> names;            // For name: `worker/worker-0`.
  std::function<Table(bool wide)> table;     // For table and wide.
};

// Turns listings into text. Pure.
class Printer {
 public:
  virtual ~Printer() = default;
  virtual std::string Print(const Listing& listing) = 0;
  // For streams: one listing at a time, headers once; json is one line each, yaml one document.
  virtual std::string PrintNext(const Listing& listing) = 0;
};

std::unique_ptr<Printer> MakePrinter(OutputForm form, const Style& style, bool with_headers);

}  // namespace gocomet::ctl
