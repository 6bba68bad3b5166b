#include "controlplane/runtime/process_record.h"

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/json_fields.h"

namespace gocomet::controlplane {
namespace {

int64_t ToMicroseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

absl::StatusOr<WallTime> TimeOf(const Json& object, const char* name) {
  GOCOMET_ASSIGN_OR_RETURN(const auto microseconds, NumberOf<int64_t>(object, name));
  return WallTime(std::chrono::microseconds(microseconds));
}

absl::StatusOr<RuntimeWorker::Exit> ParseExit(const Json& json) {
  RuntimeWorker::Exit exit;
  GOCOMET_ASSIGN_OR_RETURN(exit.code, NumberOf<int>(json, "code"));
  GOCOMET_ASSIGN_OR_RETURN(exit.signal, NumberOf<int>(json, "signal"));
  GOCOMET_ASSIGN_OR_RETURN(exit.time, TimeOf(json, "time_us"));
  GOCOMET_ASSIGN_OR_RETURN(exit.error, TextOf(json, "error"));
  return exit;
}

absl::StatusOr<ProcessRecord> ParseFields(const Json& json) {
  ProcessRecord record;
  GOCOMET_ASSIGN_OR_RETURN(record.instance, TextOf(json, "instance"));
  GOCOMET_ASSIGN_OR_RETURN(record.service, TextOf(json, "service"));
  GOCOMET_ASSIGN_OR_RETURN(record.ordinal, NumberOf<uint32_t>(json, "ordinal"));
  GOCOMET_ASSIGN_OR_RETURN(record.port, NumberOf<uint16_t>(json, "port"));
  GOCOMET_ASSIGN_OR_RETURN(record.template_hash, TextOf(json, "template_hash"));
  GOCOMET_ASSIGN_OR_RETURN(record.program, TextOf(json, "program"));
  GOCOMET_ASSIGN_OR_RETURN(record.stop_signal, TextOf(json, "stop_signal"));
  GOCOMET_ASSIGN_OR_RETURN(const bool has_command, FlagOf(json, "has_command"));
  record.is_demo = !has_command;
  GOCOMET_ASSIGN_OR_RETURN(record.address, TextOf(json, "address"));
  GOCOMET_ASSIGN_OR_RETURN(record.balancer_address, TextOf(json, "balancer_address"));
  GOCOMET_ASSIGN_OR_RETURN(record.created, TimeOf(json, "created_us"));
  GOCOMET_ASSIGN_OR_RETURN(record.boot_id, TextOf(json, "boot_id"));
  GOCOMET_ASSIGN_OR_RETURN(record.process.pid, NumberOf<pid_t>(json, "pid"));
  GOCOMET_ASSIGN_OR_RETURN(record.process.start_ticks, NumberOf<uint64_t>(json, "start_ticks"));
  if (const Json& exit = Member(json, "exit"); !exit.is_null()) {
    GOCOMET_ASSIGN_OR_RETURN(record.exit, ParseExit(exit));
  }
  if (record.instance.empty()) return absl::InvalidArgumentError("field instance is missing");
  return record;
}

// No process of this machine has both numbers again.
uint64_t IncarnationOf(const ProcessIdentity& process) {
  constexpr int kTicksShift = 22;  // The kernel's PID_MAX_LIMIT is below 2^22 + 1.
  return process.start_ticks << kTicksShift | static_cast<uint64_t>(process.pid);
}

}  // namespace

std::string ToJson(const ProcessRecord& record) {
  Json json = {{"instance", record.instance},
               {"service", record.service},
               {"ordinal", record.ordinal},
               {"port", record.port},
               {"template_hash", record.template_hash},
               {"program", record.program},
               {"stop_signal", record.stop_signal},
               {"has_command", !record.is_demo},
               {"address", record.address},
               {"balancer_address", record.balancer_address},
               {"created_us", ToMicroseconds(record.created)},
               {"boot_id", record.boot_id},
               {"pid", record.process.pid},
               {"start_ticks", record.process.start_ticks}};
  if (record.exit) {
    json["exit"] = {{"code", record.exit->code},
                    {"signal", record.exit->signal},
                    {"time_us", ToMicroseconds(record.exit->time)},
                    {"error", record.exit->error}};
  }
  return Cat(ToText(json, 2), "\n");
}

absl::StatusOr<ProcessRecord> ParseProcessRecord(std::string_view text) {
  GOCOMET_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  if (!json.is_object()) return absl::InvalidArgumentError("not a JSON object");
  return ParseFields(json);
}

RuntimeWorker ToRuntimeWorker(const ProcessRecord& record) {
  RuntimeWorker worker;
  worker.handle = record.instance;
  worker.id = record.instance;
  worker.instance = record.instance;
  worker.service = record.service;
  worker.ordinal = record.ordinal;
  worker.port = record.port;
  worker.template_hash = record.template_hash;
  worker.address = record.address;
  worker.balancer_address = record.balancer_address;
  worker.image = record.program;
  worker.pid = record.process.pid;
  worker.created = record.created;
  worker.running = record.process.pid != 0 && !record.exit;
  worker.exit = record.exit;
  if (!record.is_demo) worker.incarnation = IncarnationOf(record.process);
  return worker;
}

}  // namespace gocomet::controlplane
