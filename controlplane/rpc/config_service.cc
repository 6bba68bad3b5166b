#include "controlplane/rpc/config_service.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/config/config_text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/lookup.h"
#include "controlplane/rpc/page.h"
#include "controlplane/rpc/request_checks.h"
#include "controlplane/rpc/unary.h"
#include "controlplane/rpc/watch.h"

namespace gocomet::controlplane {
namespace {

std::string AuthorOr(const std::string& author) { return author.empty() ? "unknown" : author; }

template <typename Request>
absl::Status CheckAuthorAndReason(const Request& request) {
  GOCOMET_RETURN_IF_ERROR(CheckLine("author", request.author(), kAuthorMax));
  return CheckLine("reason", request.reason(), kReasonMax);
}

absl::Status CheckRollback(const v1::RollbackConfigRequest& request) {
  if (request.revision() == 0) {
    return InvalidField("revision", "must be the number of a revision, from 1");
  }
  return CheckAuthorAndReason(request);
}

DesiredState::Done FillAndFinish(v1::ApplyConfigResponse* response, std::shared_ptr<Reply> reply) {
  return [response, reply = std::move(reply)](absl::StatusOr<ConfigChangeResult> result) {
    if (result.ok()) {
      *response->mutable_revision() = ToProto(result->revision);
      response->set_changed(result->changed);
    }
    reply->Finish(ToGrpc(result.status()));
  };
}

}  // namespace

ParsedConfig ConfigService::Parse(const std::string& text, const std::string& file_name) const {
  const std::string name = file_name.empty() ? "config.yaml" : file_name;
  ParsedConfig parsed = ParseConfig(text, name);
  if (!parsed.ok()) return parsed;
  const auto fixed = [&](const char* key, const std::string& now, const std::string& wanted) {
    if (now == wanted) return;
    parsed.problems.push_back({name, 0, 0, key,
                               Cat("is '", now, "' in the running control plane and '", wanted,
                                   "' here: change it in the file and restart the control plane")});
  };
  const ProcessSettings& wanted = parsed.file.process;
  fixed("stats-dir", process_.database_file, wanted.database_file);
  fixed("state-dir", process_.state_directory, wanted.state_directory);
  fixed("control-plane.grpc", process_.grpc_address, wanted.grpc_address);
  fixed("control-plane.http", process_.http_address, wanted.http_address);
  const RuntimeKind runtime = parsed.file.config.runtime;
  if (runtime != RuntimeKind::kAuto && runtime != cluster_.runtime()) {
    fixed("runtime", ToString(cluster_.runtime()), ToString(runtime));
  }
  return parsed;
}

absl::Status ConfigService::CheckRuntime(RuntimeKind wanted, const Revision& revision) const {
  if (wanted == RuntimeKind::kAuto || wanted == cluster_.runtime()) return absl::OkStatus();
  return AtField("revision",
                 absl::FailedPreconditionError(
                     Cat("revision ", revision.number, " is for the runtime ", ToString(wanted),
                         ", and this control plane runs ", ToString(cluster_.runtime()),
                         ": change `runtime` in the file and restart it")));
}

grpc::ServerUnaryReactor* ConfigService::ValidateConfig(grpc::CallbackServerContext* context,
                                                        const v1::ValidateConfigRequest* request,
                                                        v1::ValidateConfigResponse* response) {
  const absl::Status valid = CheckLine("file_name", request->file_name(), kFileNameMax);
  if (!valid.ok()) return AnswerNow(context, ToGrpc(valid));
  for (const ConfigProblem& problem :
       Parse(request->config_yaml(), request->file_name()).problems) {
    *response->add_problems() = ToProto(problem);
  }
  return AnswerNow(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigService::PlanConfig(grpc::CallbackServerContext* context,
                                                    const v1::PlanConfigRequest* request,
                                                    v1::PlanConfigResponse* response) {
  const absl::Status valid = CheckLine("file_name", request->file_name(), kFileNameMax);
  if (!valid.ok()) return AnswerNow(context, ToGrpc(valid));
  const ParsedConfig parsed = Parse(request->config_yaml(), request->file_name());
  for (const ConfigProblem& problem : parsed.problems) *response->add_problems() = ToProto(problem);
  return Answer(cluster_, context, [this, response, config = parsed.file.config, ok = parsed.ok()] {
    const DesiredState& desired = cluster_.desired_state();
    response->set_base_revision(desired.newest().number);
    if (!ok) return absl::OkStatus();
    response->set_changes_anything(!(config == desired.config()));
    for (const FieldChange& change : DiffConfigs(desired.config(), config)) {
      v1::FieldChange* into = response->add_changes();
      into->set_field(change.field);
      into->set_old_value(change.old_value);
      into->set_new_value(change.new_value);
    }
    for (std::string& step : cluster_.PreviewSteps(config)) response->add_steps(std::move(step));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConfigService::ApplyConfig(grpc::CallbackServerContext* context,
                                                     const v1::ApplyConfigRequest* request,
                                                     v1::ApplyConfigResponse* response) {
  absl::Status valid = CheckLine("file_name", request->file_name(), kFileNameMax);
  if (valid.ok()) valid = CheckAuthorAndReason(*request);
  if (!valid.ok()) return AnswerNow(context, ToGrpc(valid));
  const ParsedConfig parsed = Parse(request->config_yaml(), request->file_name());
  if (!parsed.ok()) return AnswerNow(context, ToGrpc(parsed.problems));
  ConfigChange change{parsed.file.config,          request->config_yaml(), request->base_revision(),
                      AuthorOr(request->author()), request->reason(),      "apply"};
  return AnswerLater(
      cluster_, context,
      [this, response, change = std::move(change)](const std::shared_ptr<Reply>& reply) {
        cluster_.desired_state().Change(change, FillAndFinish(response, reply));
      });
}

grpc::ServerUnaryReactor* ConfigService::GetConfig(grpc::CallbackServerContext* context,
                                                   const v1::GetConfigRequest* request,
                                                   v1::GetConfigResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    const DesiredState& desired = cluster_.desired_state();
    const uint64_t number =
        request->revision() == 0 ? desired.newest().number : request->revision();
    GOCOMET_ASSIGN_OR_RETURN(const Revision* revision, FindRevision(cluster_, "revision", number));
    *response->mutable_revision() = ToProto(*revision);
    response->set_config_yaml(revision->config_yaml);
    const ParsedConfig parsed = ParseConfig(revision->config_yaml, "revision");
    if (parsed.ok()) *response->mutable_config() = ToProto(parsed.file.config);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConfigService::ListRevisions(grpc::CallbackServerContext* context,
                                                       const v1::ListRevisionsRequest* request,
                                                       v1::ListRevisionsResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page, Page::Parse("revisions", "", request->page_size(), request->page_token()));
    const std::vector<Revision>& revisions = cluster_.desired_state().revisions();
    std::vector<const Revision*> newest_first;
    for (auto revision = revisions.rbegin(); revision != revisions.rend(); ++revision) {
      newest_first.push_back(&*revision);
    }
    response->set_next_page_token(page.Fill(
        newest_first,
        [](const Revision* revision) {
          return ListPlace{"", ~revision->number};
        },
        [response](const Revision* revision) {
          v1::Revision* into = response->add_revisions();
          *into = ToProto(*revision);
          return into->ByteSizeLong();
        }));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConfigService::RollbackConfig(grpc::CallbackServerContext* context,
                                                        const v1::RollbackConfigRequest* request,
                                                        v1::ApplyConfigResponse* response) {
  return AnswerLater(
      cluster_, context, [this, request, response](const std::shared_ptr<Reply>& reply) {
        const absl::Status valid = CheckRollback(*request);
        if (!valid.ok()) return reply->Finish(ToGrpc(valid));
        const auto found = FindRevision(cluster_, "revision", request->revision());
        if (!found.ok()) return reply->Finish(ToGrpc(found.status()));
        const Revision* revision = *found;
        const ParsedConfig parsed =
            ParseConfig(revision->config_yaml, Cat("revision ", revision->number));
        if (!parsed.ok()) return reply->Finish(ToGrpc(parsed.problems));
        const absl::Status possible = CheckRuntime(parsed.file.config.runtime, *revision);
        if (!possible.ok()) return reply->Finish(ToGrpc(possible));
        ConfigChange change{parsed.file.config,
                            revision->config_yaml,
                            request->base_revision(),
                            AuthorOr(request->author()),
                            request->reason().empty() ? Cat("back to revision ", revision->number)
                                                      : request->reason(),
                            "rollback"};
        cluster_.desired_state().Change(std::move(change), FillAndFinish(response, reply));
      });
}

grpc::ServerWriteReactor<v1::Revision>* ConfigService::WatchConfig(grpc::CallbackServerContext*,
                                                                   const v1::WatchConfigRequest*) {
  return Watch<v1::Revision>(cluster_, streams_, absl::OkStatus(),
                             [this](const std::shared_ptr<WatchStream<v1::Revision>>& stream) {
                               DesiredState& desired = cluster_.desired_state();
                               stream->Send(ToProto(desired.newest()));
                               const uint64_t id =
                                   desired.subscribers().Add([stream](const Revision& revision) {
                                     stream->Send(ToProto(revision));
                                   });
                               return [&desired, id] { desired.subscribers().Remove(id); };
                             });
}

}  // namespace gocomet::controlplane
