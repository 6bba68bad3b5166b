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

// And warnings, where there are no problems.
template <typename Response>
void AddProblems(const ParsedConfig& parsed, Response& response) {
  for (const ConfigProblem& problem : parsed.problems) *response.add_problems() = ToProto(problem);
  if (!parsed.ok()) return;
  for (const ConfigProblem& each : parsed.warnings) *response.add_warnings() = ToProto(each);
}

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

// FAILED_PRECONDITION where this version cannot read the text.
absl::StatusOr<Config> ConfigOf(std::string_view field, const Revision& revision) {
  ParsedConfig parsed = ParseConfig(revision.config_yaml, Cat("revision ", revision.number));
  if (parsed.ok()) return std::move(parsed.file.config);
  return AtField(field, absl::FailedPreconditionError(Cat("revision ", revision.number,
                                                          " cannot be read by this version: ",
                                                          parsed.problems.front().ToString())));
}

DesiredState::Done FillAndFinish(v1::ApplyConfigResponse* response, std::shared_ptr<Reply> reply) {
  return [response, reply = std::move(reply)](absl::StatusOr<ConfigChangeResult> result) {
    if (result.ok()) {
      *response->mutable_revision() = ToProto(result->revision);
      response->set_changed(result->changed);
      for (const RolloutRecord& rollout : result->rollouts) {
        if (rollout.is_active()) *response->add_rollouts() = ToProto(rollout);
      }
    }
    reply->Finish(ToGrpc(result.status()));
  };
}

}  // namespace

ParsedConfig ConfigService::Parse(const std::string& text, const std::string& file_name) const {
  const std::string name = file_name.empty() ? "config.yaml" : file_name;
  ParsedConfig parsed = ParseConfig(text, name);
  if (!parsed.ok()) return parsed;
  parsed.problems = FindUnmetDemands(process_, cluster_.runtime(), parsed, name);
  return parsed;
}

absl::Status ConfigService::CheckRuntime(const ParsedConfig& parsed,
                                         const Revision& revision) const {
  const RuntimeKind wanted = parsed.file.config.runtime;
  if (wanted != RuntimeKind::kAuto && wanted != cluster_.runtime()) {
    return AtField("revision",
                   absl::FailedPreconditionError(
                       Cat("revision ", revision.number, " is for the runtime ", ToString(wanted),
                           ", and this control plane runs ", ToString(cluster_.runtime()),
                           ": change `runtime` in the file and restart it")));
  }
  const auto unfit = FindUnfitServices(cluster_.runtime(), parsed, "");
  if (unfit.empty()) return absl::OkStatus();
  return AtField("revision", absl::FailedPreconditionError(Cat("revision ", revision.number, ": ",
                                                               unfit.front().ToString())));
}

grpc::ServerUnaryReactor* ConfigService::ValidateConfig(grpc::CallbackServerContext* context,
                                                        const v1::ValidateConfigRequest* request,
                                                        v1::ValidateConfigResponse* response) {
  if (!Verdict(context).ok()) return AnswerNow(context, Verdict(context));
  const absl::Status valid = CheckLine("file_name", request->file_name(), kFileNameMax);
  if (!valid.ok()) return AnswerNow(context, ToGrpc(valid));
  const ParsedConfig parsed = Parse(request->config_yaml(), request->file_name());
  AddProblems(parsed, *response);
  return AnswerNow(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* ConfigService::PlanConfig(grpc::CallbackServerContext* context,
                                                    const v1::PlanConfigRequest* request,
                                                    v1::PlanConfigResponse* response) {
  if (!Verdict(context).ok()) return AnswerNow(context, Verdict(context));
  const absl::Status valid = CheckLine("file_name", request->file_name(), kFileNameMax);
  if (!valid.ok()) return AnswerNow(context, ToGrpc(valid));
  const ParsedConfig parsed = Parse(request->config_yaml(), request->file_name());
  AddProblems(parsed, *response);
  return Answer(cluster_, context, [this, response, config = parsed.file.config, ok = parsed.ok()] {
    const DesiredState& desired = cluster_.desired_state();
    response->set_base_revision(desired.newest().number);
    if (!ok) return absl::OkStatus();
    response->set_changes_anything(!(config == desired.config()));
    for (const FieldChange& change : DiffConfigs(desired.config(), config)) {
      *response->add_changes() = ToProto(change);
    }
    AddPreview(cluster_.PreviewChange(config), *response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConfigService::ApplyConfig(grpc::CallbackServerContext* context,
                                                     const v1::ApplyConfigRequest* request,
                                                     v1::ApplyConfigResponse* response) {
  if (!Verdict(context).ok()) return AnswerNow(context, Verdict(context));
  absl::Status valid = CheckLine("file_name", request->file_name(), kFileNameMax);
  if (valid.ok()) valid = CheckAuthorAndReason(*request);
  if (!valid.ok()) return AnswerNow(context, ToGrpc(valid));
  const ParsedConfig parsed = Parse(request->config_yaml(), request->file_name());
  if (!parsed.ok()) return AnswerNow(context, ToGrpc(parsed.problems));
  for (const ConfigProblem& each : parsed.warnings) *response->add_warnings() = ToProto(each);
  ConfigChange change{parsed.file.config,       request->config_yaml(),
                      request->base_revision(), AuthorOf(context, request->author()),
                      request->reason(),        "apply"};
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
    if (!parsed.ok()) return absl::OkStatus();
    *response->mutable_config() = ToProto(parsed.file.config);
    if (request->rendered()) {
      response->set_rendered_yaml(RenderConfig(parsed.file, ConfigForm::kLong));
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConfigService::DiffRevisions(grpc::CallbackServerContext* context,
                                                       const v1::DiffRevisionsRequest* request,
                                                       v1::DiffRevisionsResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    if (request->from_revision() == 0) {
      return InvalidField("from_revision", "must be the number of a revision, from 1");
    }
    const uint64_t newest = cluster_.desired_state().newest().number;
    const uint64_t last = request->to_revision() == 0 ? newest : request->to_revision();
    GOCOMET_ASSIGN_OR_RETURN(const Revision* from,
                             FindRevision(cluster_, "from_revision", request->from_revision()));
    GOCOMET_ASSIGN_OR_RETURN(const Revision* to, FindRevision(cluster_, "to_revision", last));
    GOCOMET_ASSIGN_OR_RETURN(const Config before, ConfigOf("from_revision", *from));
    GOCOMET_ASSIGN_OR_RETURN(const Config after, ConfigOf("to_revision", *to));
    *response->mutable_from() = ToProto(*from);
    *response->mutable_to() = ToProto(*to);
    for (const FieldChange& change : DiffConfigs(before, after)) {
      *response->add_changes() = ToProto(change);
    }
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
      cluster_, context,
      [this, request, response,
       author = AuthorOf(context, request->author())](const std::shared_ptr<Reply>& reply) {
        const absl::Status valid = CheckRollback(*request);
        if (!valid.ok()) return reply->Finish(ToGrpc(valid));
        const auto found = FindRevision(cluster_, "revision", request->revision());
        if (!found.ok()) return reply->Finish(ToGrpc(found.status()));
        const Revision* revision = *found;
        const ParsedConfig parsed =
            ParseConfig(revision->config_yaml, Cat("revision ", revision->number));
        if (!parsed.ok()) return reply->Finish(ToGrpc(parsed.problems));
        const absl::Status possible = CheckRuntime(parsed, *revision);
        if (!possible.ok()) return reply->Finish(ToGrpc(possible));
        ConfigChange change{parsed.file.config,
                            revision->config_yaml,
                            request->base_revision(),
                            author,
                            request->reason().empty() ? Cat("back to revision ", revision->number)
                                                      : request->reason(),
                            "rollback"};
        cluster_.desired_state().Change(std::move(change), FillAndFinish(response, reply));
      });
}

grpc::ServerWriteReactor<v1::Revision>* ConfigService::WatchConfig(
    grpc::CallbackServerContext* context, const v1::WatchConfigRequest*) {
  return Watch<v1::Revision>(context, cluster_, streams_, absl::OkStatus(),
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
