#include "controlplane/app/config_start.h"

#include <filesystem>
#include <utility>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {

absl::StatusOr<LoadedConfig> LoadConfigFile(const std::string& path, ParsedConfig& parsed) {
  LoadedConfig loaded;
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  loaded.path = absolute.string();
  loaded.directory = absolute.parent_path().string();
  auto text = ReadFile(path);
  if (absl::IsNotFound(text.status())) return loaded;
  if (!text.ok()) return text.status();
  loaded.exists = true;
  loaded.text = *std::move(text);
  parsed = ParseConfig(loaded.text, path);
  loaded.file = parsed.file;
  return loaded;
}

std::string ResolvePath(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

namespace {

// Hashes that an older version stored were of other fields; what was read then still counts.
bool SaysTheSame(const Revision& revision, const std::string& hash) {
  if (revision.content_hash == hash) return true;
  const ParsedConfig parsed = ParseConfig(revision.config_yaml, "");
  return parsed.ok() && ContentHash(parsed.file.config) == hash;
}

}  // namespace

absl::StatusOr<StartingPoint> ChooseStart(const LoadedConfig& loaded,
                                          std::vector<Revision> revisions, WallTime now) {
  StartingPoint start;
  start.revisions = std::move(revisions);
  const std::string hash = ContentHash(loaded.file.config);
  const Revision* last_from_file = nullptr;
  for (const Revision& revision : start.revisions) {
    if (revision.source == "file") last_from_file = &revision;
  }
  if (last_from_file != nullptr && SaysTheSame(*last_from_file, hash)) {
    const Revision& newest = start.revisions.back();
    ParsedConfig parsed = ParseConfig(newest.config_yaml, Cat("revision ", newest.number));
    if (!parsed.ok()) {
      return absl::DataLossError(
          Cat("revision ", newest.number,
              " in the database cannot be read: ", parsed.problems.front().ToString()));
    }
    start.config = std::move(parsed.file.config);
    if (ContentHash(start.config) != hash) {
      start.notice = Cat("revision ", newest.number, " (", newest.source,
                         ") is newer than the file, ", "which has not changed since revision ",
                         last_from_file->number, "; the revision stands");
    }
    return start;
  }
  Revision revision;
  revision.number = start.revisions.empty() ? 1 : start.revisions.back().number + 1;
  revision.create_time = now;
  revision.author = "gocomet-controlplane";
  revision.reason =
      loaded.exists ? Cat("read from ", loaded.path) : "the defaults; there is no file";
  revision.source = "file";
  revision.content_hash = hash;
  revision.config_yaml = loaded.exists ? loaded.text : RenderConfig(loaded.file);
  start.revisions.push_back(std::move(revision));
  start.config = loaded.file.config;
  start.added = true;
  return start;
}

}  // namespace gocomet::controlplane
