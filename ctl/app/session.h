#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include "common/base/clock.h"
#include "ctl/client/control_plane.h"
#include "ctl/output/printer.h"
#include "ctl/output/style.h"

namespace gocomet::ctl {

// What a run takes from the process around it.
struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  bool colours = false;
  std::string server;  // GOCOMET_SERVER
  std::string token;   // GOCOMET_TOKEN
  std::string user;    // Author of changes.
  // GOCOMET_TLS_CA, GOCOMET_TLS_CERTIFICATE, GOCOMET_TLS_KEY: paths.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  // Where no token is given, whether to look for the admin's own on this machine.
  bool finds_local_token = false;
};

// As they stand on the command line; the same for every command.
struct GlobalOptions {
  std::string server = "127.0.0.1:7070";
  std::string timeout;  // Empty: 10s for calls, none for streams.
  std::string token_file;
  bool tls = false;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_server_name;
  std::string output = "table";
  bool no_headers = false;
};

// One run of the program: its options, its streams and its control plane. Every command is a
// function of a session that answers with an exit code.
class Session {
 public:
  explicit Session(const Environment& environment);

  GlobalOptions& options() { return options_; }
  // After the command line has been read, before the command runs. INVALID_ARGUMENT names the
  // option at fault.
  absl::Status Prepare();

  // Connects at its first call, so commands that ask nothing cost nothing. Any thread.
  ControlPlane& control_plane();

  OutputForm form() const { return form_; }
  bool is_for_people() const { return form_ == OutputForm::kTable || form_ == OutputForm::kWide; }
  const Style& style() const { return style_; }
  WallTime now() const { return environment_.clock.Wall(); }
  const std::string& user() const { return environment_.user; }
  const std::string& server() const { return options_.server; }
  // What --timeout allows a stream; none where it is not said.
  std::optional<std::chrono::milliseconds> stream_timeout() const {
    return connection_.stream_timeout;
  }
  std::istream& in() { return environment_.in; }

  void Print(std::string_view text);
  // A remark beside the output, for people.
  void Note(std::string_view text);

  // Each prints and answers with the exit code.
  int Show(const Listing& listing);
  // One thing: a text for people, the message or the name for scripts.
  int Show(const google::protobuf::Message& message, const std::string& name,
           std::string_view text);
  int Fail(const absl::Status& status);
  // The same with kInvalidConfig where a config text was at fault, each problem on its own line.
  int FailConfig(const absl::Status& status, std::string_view file);

  // For commands that go on until they are stopped.
  void ShowNext(const Listing& listing);
  // Runs `stream`, which calls one of ControlPlane's streams; Ctrl-C ends it. Call it before
  // anything else uses the control plane.
  int RunStream(const std::function<absl::Status()>& stream);

 private:
  absl::Status PrepareTls();
  absl::Status PrepareToken();
  // The token of a control plane on this machine; empty where there is none for this user.
  std::string FindLocalToken() const;

  const Environment environment_;
  const Style style_;
  GlobalOptions options_;
  OutputForm form_ = OutputForm::kTable;
  ControlPlane::Options connection_;
  std::once_flag connected_;
  std::unique_ptr<ControlPlane> control_plane_;
  std::unique_ptr<Printer> printer_;
};

}  // namespace gocomet::ctl
