#include "controlplane/runtime/docker_image.h"

#include <elf.h>

#include <cstring>
#include <utility>

#include "common/base/file.h"
#include "common/base/sha256_hex.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_errors.h"
#include "controlplane/runtime/docker_messages.h"
#include "controlplane/runtime/tar_writer.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kBuildPatience{120};
constexpr size_t kTagDigits = 12;

constexpr char kRecipe[] =
    "FROM scratch\n"
    "COPY gocomet-worker /gocomet-worker\n"
    "EXPOSE 8080\n"
    "ENTRYPOINT [\"/gocomet-worker\"]\n";

}  // namespace

std::string WorkerImageName(std::string_view program) {
  return Cat("gocomet-worker:", Sha256Hex(Cat(kRecipe, program)).substr(0, kTagDigits));
}

bool IsStaticProgram(std::string_view program) {
  Elf64_Ehdr header;
  if (program.size() < sizeof(header)) return false;
  std::memcpy(&header, program.data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const size_t at = header.e_phoff + i * header.e_phentsize;
    if (at > program.size() || program.size() - at < sizeof(segment)) return false;
    std::memcpy(&segment, program.data() + at, sizeof(segment));
    if (segment.p_type == PT_INTERP) return false;
  }
  return true;
}

DockerImage::DockerImage(const EngineClient& engine, std::string worker_program)
    : engine_(engine), worker_program_(std::move(worker_program)) {}

absl::StatusOr<std::string> DockerImage::Ensure() {
  const std::lock_guard hold(mutex_);
  const auto program = ReadFile(worker_program_);
  if (!program.ok()) return WithContext(program.status(), "the worker image cannot be built");
  if (!IsStaticProgram(*program)) {
    return absl::InvalidArgumentError(
        Cat("the worker image cannot be built: ", worker_program_,
            " is not a static program, and the image has no libraries; link it with -static"));
  }
  const std::string name = WorkerImageName(*program);
  GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer seen, Look(name));
  if (seen.status == 404) {
    GOCOMET_RETURN_IF_ERROR(Build(name, *program));
  } else if (!seen.ok()) {
    return ToStatus(seen.status, seen.body, Cat("look for the image ", name));
  }
  name_ = name;
  return name;
}

absl::StatusOr<EngineAnswer> DockerImage::Look(const std::string& name) const {
  return engine_.Call("GET", Cat("/images/", name, "/json"), "", "", engine_.patience());
}

absl::StatusOr<std::string> DockerImage::Name() {
  {
    const std::lock_guard hold(mutex_);
    if (!name_.empty()) return name_;
  }
  return Ensure();
}

absl::Status DockerImage::Build(const std::string& name, std::string_view program) const {
  TarWriter tar;
  GOCOMET_RETURN_IF_ERROR(tar.Add("Dockerfile", kRecipe, 0644));
  GOCOMET_RETURN_IF_ERROR(tar.Add("gocomet-worker", program, 0755));
  const std::string context = std::move(tar).Finish();
  GOCOMET_ASSIGN_OR_RETURN(
      const EngineAnswer built,
      engine_.Call("POST", Cat("/build?rm=1&forcerm=1&networkmode=none&t=", PercentEncode(name)),
                   context, "application/x-tar", kBuildPatience));
  if (!built.ok()) return ToStatus(built.status, built.body, Cat("build the image ", name));
  GOCOMET_RETURN_IF_ERROR(ParseBuildOutput(built.body));
  // A build that was cut off ends without an error of its own.
  GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer seen, Look(name));
  if (seen.ok()) return absl::OkStatus();
  return ToStatus(seen.status, seen.body, Cat("find the image ", name, " after its build"));
}

}  // namespace gocomet::controlplane
