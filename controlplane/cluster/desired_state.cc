#include "controlplane/cluster/desired_state.h"

#include <utility>

#include "common/base/text.h"
#include "controlplane/config/config_text.h"
#include "controlplane/model/field_error.h"

namespace gocomet::controlplane {

DesiredState::DesiredState(Store& store, Mailbox& mailbox, const Clock& clock,
                           std::vector<Revision> revisions, Config newest,
                           std::function<void(const Revision&)> became_newest)
    : store_(store),
      mailbox_(mailbox),
      clock_(clock),
      became_newest_(std::move(became_newest)),
      revisions_(std::move(revisions)),
      config_(std::move(newest)) {}

const Revision* DesiredState::Find(uint64_t number) const {
  for (const Revision& revision : revisions_) {
    if (revision.number == number) return &revision;
  }
  return nullptr;
}

void DesiredState::Change(ConfigChange change, Done done) {
  waiting_.push_back({std::move(change), std::move(done)});
  BeginNext();
}

void DesiredState::BeginNext() {
  while (!writing_ && !waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    Begin(std::move(next));
  }
}

void DesiredState::Begin(Waiting waiting) {
  const ConfigChange& change = waiting.change;
  if (change.base_revision != 0 && change.base_revision != newest().number) {
    return waiting.done(AtField(
        "base_revision", absl::AbortedError(Cat(
                             "base_revision: the change was made from revision ",
                             change.base_revision, ", and revision ", newest().number, " by ",
                             newest().author, " is the newest now; look at it and apply again"))));
  }
  if (change.config == config_) return waiting.done(ConfigChangeResult{newest(), false});
  Revision revision;
  revision.number = newest().number + 1;
  revision.create_time = clock_.Wall();
  revision.author = change.author;
  revision.reason = change.reason;
  revision.source = change.source;
  revision.content_hash = ContentHash(change.config);
  revision.config_yaml = change.config_yaml;

  writing_ = true;
  StoreWrite write;
  write.revisions.push_back(revision);
  write.done = [this, revision, waiting = std::move(waiting)](const absl::Status& status) {
    mailbox_.Post([this, revision, waiting, status] {
      OnDurable(revision, waiting.change.config, waiting.done, status);
    });
  };
  store_.Write(std::move(write));
}

void DesiredState::OnDurable(const Revision& revision, const Config& config, const Done& done,
                             const absl::Status& status) {
  writing_ = false;
  if (status.ok()) {
    revisions_.push_back(revision);
    config_ = config;
    became_newest_(revision);
    subscribers_.Publish(revision);
    done(ConfigChangeResult{revision, true});
  } else {
    done(WithContext(status, "the revision could not be written to the database; nothing changed"));
  }
  BeginNext();
}

}  // namespace gocomet::controlplane
