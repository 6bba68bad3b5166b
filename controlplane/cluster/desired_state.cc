#include "controlplane/cluster/desired_state.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "controlplane/config/config_text.h"
#include "controlplane/model/field_error.h"

namespace gocomet::controlplane {

DesiredState::DesiredState(Store& store, Mailbox& mailbox, const Clock& clock,
                           std::vector<Revision> revisions, Config newest, Hooks hooks)
    : store_(store),
      mailbox_(mailbox),
      clock_(clock),
      hooks_(std::move(hooks)),
      revisions_(std::move(revisions)),
      config_(std::move(newest)) {}

const Revision* DesiredState::Find(uint64_t number) const {
  for (const Revision& revision : revisions_) {
    if (revision.number == number) return &revision;
  }
  return nullptr;
}

std::shared_ptr<const Config> DesiredState::ConfigOf(uint64_t number) const {
  const Revision* revision = Find(number);
  if (revision == nullptr) return nullptr;
  ParsedConfig parsed = ParseConfig(revision->config_yaml, Cat("revision ", number));
  if (!parsed.ok()) return nullptr;
  return std::make_shared<const Config>(std::move(parsed.file.config));
}

void DesiredState::Change(ConfigChange change, Done done) {
  Enqueue([this, change = std::move(change), done = std::move(done)] { Begin(change, done); });
}

void DesiredState::WriteRollouts(Prepare prepare, Written done) {
  Enqueue([this, prepare = std::move(prepare), done = std::move(done)] {
    BeginRollouts(prepare, done);
  });
}

bool DesiredState::IsChanging(uint64_t rollout) const {
  return std::find(changing_.begin(), changing_.end(), rollout) != changing_.end();
}

void DesiredState::Enqueue(std::function<void()> begin) {
  waiting_.push_back(std::move(begin));
  BeginNext();
}

void DesiredState::BeginNext() {
  while (!writing_ && !waiting_.empty()) {
    const std::function<void()> next = std::move(waiting_.front());
    waiting_.pop_front();
    next();
  }
}

void DesiredState::Write(StoreWrite write, std::function<void(const absl::Status&)> then) {
  writing_ = true;
  for (const RolloutRecord& rollout : write.rollouts) changing_.push_back(rollout.id);
  write.at_once = true;
  write.done = [this, then = std::move(then)](const absl::Status& status) {
    mailbox_.Post([this, then, status] {
      writing_ = false;
      changing_.clear();
      then(status);
      BeginNext();
    });
  };
  store_.Write(std::move(write));
}

void DesiredState::Begin(const ConfigChange& change, const Done& done) {
  if (change.base_revision != 0 && change.base_revision != newest().number) {
    return done(AtField("base_revision",
                        absl::AbortedError(Cat("base_revision: the change was made from revision ",
                                               change.base_revision, ", and revision ",
                                               newest().number, " by ", newest().author,
                                               " is the newest now; look at it and apply again"))));
  }
  if (change.config == config_) return done(ConfigChangeResult{newest(), false});
  Revision revision;
  revision.number = newest().number + 1;
  revision.create_time = clock_.Wall();
  revision.author = change.author;
  revision.reason = change.reason;
  revision.source = change.source;
  revision.content_hash = ContentHash(change.config);
  revision.config_yaml = change.config_yaml;

  StoreWrite write;
  write.revisions.push_back(revision);
  const std::vector<RolloutRecord> rollouts = hooks_.rollouts(revision, change);
  write.rollouts = rollouts;
  Write(std::move(write),
        [this, revision, config = change.config, rollouts, done](const absl::Status& status) {
          if (!status.ok()) {
            return done(WithContext(
                status, "the revision could not be written to the database; nothing changed"));
          }
          revisions_.push_back(revision);
          config_ = config;
          hooks_.became_newest(revision, rollouts);
          subscribers_.Publish(revision);
          done(ConfigChangeResult{revision, true, rollouts});
        });
}

void DesiredState::BeginRollouts(const Prepare& prepare, const Written& done) {
  auto rollouts = prepare();
  if (!rollouts.ok()) return done(rollouts.status());
  StoreWrite write;
  write.rollouts = *rollouts;
  Write(std::move(write), [rollouts = *std::move(rollouts), done](const absl::Status& status) {
    if (!status.ok()) {
      return done(
          WithContext(status, "the rollout could not be written to the database; nothing changed"));
    }
    done(rollouts);
  });
}

}  // namespace gocomet::controlplane
