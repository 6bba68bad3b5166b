#include "ctl/app/session.h"

#include <algorithm>
#include <istream>
#include <ostream>

#include "common/base/duration_text.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/app/interrupt.h"
#include "ctl/client/call_error.h"
#include "ctl/client/local_token.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

constexpr size_t kTokenBytesMax = 4096;
// Of the question that comes before the command's own.
constexpr std::chrono::milliseconds kLocalPatience{2000};

// The token goes into a header: one line of visible characters.
absl::StatusOr<std::string> CheckToken(std::string token, std::string_view source) {
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const bool legal =
      !token.empty() && token.size() <= kTokenBytesMax &&
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (legal) return token;
  return absl::InvalidArgumentError(Cat(source, " must hold one line of visible ASCII characters"));
}

}  // namespace

Session::Session(const Environment& environment)
    : environment_(environment), style_(environment.colours) {
  if (!environment.server.empty()) options_.server = environment.server;
}

absl::Status Session::Prepare() {
  const auto form = ParseOutputForm(options_.output);
  if (!form) {
    return absl::InvalidArgumentError(
        Cat("--output '", options_.output, "': expected table, wide, json, yaml or name"));
  }
  form_ = *form;
  printer_ = MakePrinter(form_, style_, !options_.no_headers);

  auto server = ServerAddress::Parse(options_.server);
  if (!server.ok()) return WithContext(server.status(), "--server");
  connection_.server = *std::move(server);

  if (!options_.timeout.empty()) {
    const auto timeout = ParseDuration(options_.timeout);
    if (!timeout.ok()) return WithContext(timeout.status(), "--timeout");
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
    if (rounded.count() == 0) return absl::InvalidArgumentError("--timeout: must be above 0");
    connection_.call_timeout = rounded;
    connection_.stream_timeout = rounded;
  }

  GOCOMET_RETURN_IF_ERROR(PrepareTls());
  return PrepareToken();
}

absl::Status Session::PrepareTls() {
  Tls& tls = connection_.tls;
  const auto read = [&](const std::string& option, const std::string& variable,
                        std::string_view option_name, std::string_view variable_name,
                        std::string& content) -> absl::Status {
    const std::string& path = option.empty() ? variable : option;
    if (path.empty()) return absl::OkStatus();
    auto text = ReadFile(path);
    if (!text.ok()) {
      return WithContext(text.status(), option.empty() ? variable_name : option_name);
    }
    content = *std::move(text);
    return absl::OkStatus();
  };
  GOCOMET_RETURN_IF_ERROR(
      read(options_.tls_ca, environment_.tls_ca, "--tls-ca", "GOCOMET_TLS_CA", tls.authorities));
  GOCOMET_RETURN_IF_ERROR(read(options_.tls_certificate, environment_.tls_certificate,
                               "--tls-certificate", "GOCOMET_TLS_CERTIFICATE", tls.certificate));
  GOCOMET_RETURN_IF_ERROR(
      read(options_.tls_key, environment_.tls_key, "--tls-key", "GOCOMET_TLS_KEY", tls.key));
  if (tls.certificate.empty() != tls.key.empty()) {
    return absl::InvalidArgumentError("--tls-certificate and --tls-key go together");
  }
  tls.server_name = options_.tls_server_name;
  tls.enabled = options_.tls || !tls.authorities.empty() || !tls.certificate.empty() ||
                !tls.server_name.empty();
  return absl::OkStatus();
}

absl::Status Session::PrepareToken() {
  if (!options_.token_file.empty()) {
    GOCOMET_ASSIGN_OR_RETURN(std::string content, ReadFile(options_.token_file));
    GOCOMET_ASSIGN_OR_RETURN(
        connection_.token,
        CheckToken(std::move(content), Cat("--token-file ", options_.token_file)));
  } else if (!environment_.token.empty()) {
    GOCOMET_ASSIGN_OR_RETURN(connection_.token, CheckToken(environment_.token, "GOCOMET_TOKEN"));
  }
  if (!connection_.token.empty() && !connection_.server.is_local && !connection_.tls.enabled) {
    return absl::InvalidArgumentError(Cat(
        "the token would cross the network to ", connection_.server.text,
        " unencrypted; use --tls-ca or --tls where the control plane speaks TLS, or a tunnel to "
        "a local address, such as `ssh -L 7070:127.0.0.1:7070`"));
  }
  return absl::OkStatus();
}

std::string Session::FindLocalToken() const {
  const bool is_asked_for = environment_.finds_local_token && connection_.token.empty() &&
                            connection_.tls.certificate.empty() && connection_.server.is_local &&
                            connection_.server.port != 0;
  if (!is_asked_for) return "";
  ControlPlane::Options options = connection_;
  options.call_timeout = std::min(options.call_timeout, kLocalPatience);
  const auto who = ControlPlane(options).WhoAmI();
  // Whatever is wrong, the command's own call will say it.
  if (!who.ok() || who->local_token_file().empty()) return "";
  return ReadLocalToken(who->local_token_file(), connection_.server.port).value_or("");
}

ControlPlane& Session::control_plane() {
  std::call_once(connected_, [this] {
    if (std::string token = FindLocalToken(); !token.empty()) connection_.token = std::move(token);
    control_plane_ = std::make_unique<ControlPlane>(connection_);
  });
  return *control_plane_;
}

void Session::Print(std::string_view text) { environment_.out << text << std::flush; }

void Session::Note(std::string_view text) { environment_.err << text << std::endl; }

int Session::Show(const Listing& listing) {
  if (is_for_people() && listing.names.empty()) {
    Note("none found");
    return kOk;
  }
  Print(printer_->Print(listing));
  return kOk;
}

int Session::Show(const google::protobuf::Message& message, const std::string& name,
                  std::string_view text) {
  if (is_for_people()) {
    Print(text);
  } else {
    Print(printer_->Print({message, {name}, nullptr}));
  }
  return kOk;
}

void Session::ShowNext(const Listing& listing) { Print(printer_->PrintNext(listing)); }

int Session::Fail(const absl::Status& status) {
  std::string text = Cat("gocometctl: ", CleanLines(MessageOf(status)), "\n");
  for (const v1::FieldViolation& violation : ViolationsOf(status)) {
    if (MessageOf(status).find(violation.message()) != std::string_view::npos) continue;
    text += Cat("  ", OneLine(Cat(violation.field(), ": ", violation.message())), "\n");
  }
  environment_.err << text << std::flush;
  return ExitCodeFor(status.code());
}

int Session::FailConfig(const absl::Status& status, std::string_view file) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return Fail(status);
  const auto violations = ViolationsOf(status);
  if (violations.empty()) {
    Fail(status);
    return kInvalidConfig;
  }
  for (const v1::FieldViolation& violation : violations) {
    environment_.err << OneLine(violation.message()) << '\n';
  }
  environment_.err << "gocometctl: " << file << " has " << violations.size()
                   << (violations.size() == 1 ? " problem" : " problems") << "; nothing changed"
                   << std::endl;
  return kInvalidConfig;
}

int Session::RunStream(const std::function<absl::Status()>& stream) {
  const Interrupt interrupt([this] { control_plane().Cancel(); });
  const absl::Status status = stream();
  if (interrupt.signal() != 0) return 128 + interrupt.signal();
  return status.ok() ? kOk : Fail(status);
}

}  // namespace gocomet::ctl
