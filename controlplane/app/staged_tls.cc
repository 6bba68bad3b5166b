#include "controlplane/app/staged_tls.h"

#include <filesystem>
#include <utility>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/access/tls_files.h"

namespace gocomet::controlplane {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

}  // namespace

StagedTls::StagedTls(TlsFiles source, std::string directory)
    : source_(std::move(source)), directory_(std::move(directory)) {}

absl::StatusOr<StagedTls> StagedTls::Open(TlsFiles source, std::string directory) {
  StagedTls staged(std::move(source), std::move(directory));
  staged.Remove();
  if (!staged.source_.enabled()) return staged;
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(staged.directory_, kDirectoryMode));
  GOCOMET_RETURN_IF_ERROR(staged.Refresh().status());
  staged.files_ = staged.FilesIn(staged.directory_ + "/current");
  return staged;
}

void StagedTls::Remove() const {
  std::error_code ignored;  // What stays is replaced by the next start.
  std::filesystem::remove_all(directory_, ignored);
}

TlsFiles StagedTls::FilesIn(const std::string& directory) const {
  TlsFiles files;
  files.certificate = directory + "/certificate.pem";
  files.key = directory + "/key.pem";
  if (!source_.client_authority.empty()) files.client_authority = directory + "/client-ca.pem";
  return files;
}

absl::StatusOr<StagedTls::Contents> StagedTls::Read() const {
  GOCOMET_RETURN_IF_ERROR(CheckTlsFiles(source_));
  Contents contents;
  GOCOMET_ASSIGN_OR_RETURN(contents.certificate, ReadFile(source_.certificate));
  GOCOMET_ASSIGN_OR_RETURN(contents.key, ReadFile(source_.key));
  if (!source_.client_authority.empty()) {
    GOCOMET_ASSIGN_OR_RETURN(contents.client_authority, ReadFile(source_.client_authority));
  }
  return contents;
}

// A directory is filled and then takes the place of the one before in one step, so that nobody ever
// finds a certificate beside another one's key.
absl::Status StagedTls::Stage(const Contents& contents) {
  const std::string name = Cat(number_ + 1);
  const std::string fresh = Cat(directory_, "/", name);
  const TlsFiles files = FilesIn(fresh);
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(fresh, kDirectoryMode));
  GOCOMET_RETURN_IF_ERROR(WriteFileAtomically(files.certificate, contents.certificate, kFileMode));
  GOCOMET_RETURN_IF_ERROR(WriteFileAtomically(files.key, contents.key, kFileMode));
  if (!files.client_authority.empty()) {
    GOCOMET_RETURN_IF_ERROR(
        WriteFileAtomically(files.client_authority, contents.client_authority, kFileMode));
  }
  // They may have changed since they were checked.
  GOCOMET_RETURN_IF_ERROR(CheckTlsFiles(files));
  std::error_code error;
  std::filesystem::remove(directory_ + "/next", error);
  std::filesystem::create_directory_symlink(name, directory_ + "/next", error);
  if (!error) std::filesystem::rename(directory_ + "/next", directory_ + "/current", error);
  if (error) {
    return absl::UnavailableError(
        Cat("cannot put the TLS files into ", directory_, ": ", error.message()));
  }
  std::filesystem::remove_all(Cat(directory_, "/", number_), error);
  ++number_;
  return absl::OkStatus();
}

absl::StatusOr<bool> StagedTls::Refresh() {
  if (!source_.enabled()) return false;
  GOCOMET_ASSIGN_OR_RETURN(Contents contents, Read());
  if (contents == staged_) return false;
  GOCOMET_RETURN_IF_ERROR(Stage(contents));
  staged_ = std::move(contents);
  return true;
}

}  // namespace gocomet::controlplane
