#include "simulation/producer_fake.h"

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace muir::simulation {

using client::Delivery;
using client::DeliveryCallback;
using client::ProducedRecord;

FaultyProducer::FaultyProducer(Link& link, std::unique_ptr<client::Producer> inner, bool transactional)
    : link_(link), inner_(std::move(inner)), transactional_(transactional) {
  link_.producers_.push_back(this);
}

FaultyProducer::~FaultyProducer() {
  std::erase(link_.producers_, this);
  // What was on its way when the process died may still arrive.
  if (!link_.is_cut() || link_.dice().chance(0.5)) {
    deliver();
  }
  if (open_ || link_.is_cut()) link_.left_producers.push_back(std::move(inner_));
}

Status FaultyProducer::send(std::span<const ProducedRecord> records, DeliveryCallback on_done) {
  Batch& batch = waiting_.emplace_back();
  batch.since_ms = link_.clock_.now_ms();
  batch.on_done = std::move(on_done);
  for (const ProducedRecord& one : records) {
    Owned& owned = batch.records.emplace_back(Owned{.topic = std::string(one.topic),
                                                    .partition = one.partition,
                                                    .key = to_owned(one.key),
                                                    .value = to_owned(one.value),
                                                    .timestamp_ms = one.timestamp_ms,
                                                    .headers = {}});
    for (const auto& header : one.headers) owned.headers.emplace_back(Bytes(header.name), to_owned(header.value));
  }
  const bool held = link_.sabotage == Sabotage::changelogs_after_commit;
  if (!link_.away() && !held && !link_.dice().chance(link_.faults.lingers)) deliver();
  return {};
}

void FaultyProducer::turn() {
  if (waiting_.empty() || link_.away() || link_.clock_.now_ms() - waiting_.front().since_ms < kLingersMs) return;
  if (link_.sabotage != Sabotage::changelogs_after_commit) deliver();
}

// `with_changelogs` false: those stay for the next time.
void FaultyProducer::deliver(bool with_changelogs) {
  std::deque<Batch> now;
  now.swap(waiting_);
  for (Batch& batch : now) {
    if (!with_changelogs) {
      Batch later{.records = {}, .since_ms = batch.since_ms, .on_done = nullptr};
      for (auto it = batch.records.begin(); it != batch.records.end();) {
        if (it->topic.ends_with("-changelog")) {
          later.records.push_back(std::move(*it));
          it = batch.records.erase(it);
        } else {
          ++it;
        }
      }
      if (!later.records.empty()) waiting_.push_back(std::move(later));
    }
    deliver(batch);
  }
}

void FaultyProducer::deliver(Batch& batch) {
  std::vector<std::vector<client::Header>> headers(batch.records.size());
  std::vector<ProducedRecord> records;
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const Owned& one = batch.records[i];
    for (const auto& [name, value] : one.headers) headers[i].push_back({name, to_view(value)});
    records.push_back({.topic = one.topic,
                       .partition = one.partition,
                       .key = to_view(one.key),
                       .value = to_view(one.value),
                       .timestamp_ms = one.timestamp_ms,
                       .headers = headers[i]});
  }
  // In a transaction it makes no difference whether what failed was written: it is aborted.
  const bool lost = !transactional_ && link_.dice().chance(link_.faults.answer_lost);
  bool told = false;
  const auto on_done = [&](const Status& status, std::span<const Delivery> deliveries) {
    told = true;
    if (lost && status.ok()) {
      give_up(batch, error(Code::timed_out, "send topic={}: no answer", batch.records.front().topic));
    } else if (batch.on_done) {
      batch.on_done(status, deliveries);
    }
  };
  const Status sent = inner_->send(records, on_done);
  if (!told) give_up(batch, sent.ok() ? error(Code::aborted, "send: given up") : sent);
}

void FaultyProducer::give_up(Batch& batch, const Status& why) {
  if (!batch.on_done) return;
  const std::vector<Delivery> deliveries(batch.records.size(), Delivery{.code = why.code()});
  batch.on_done(why, deliveries);
}

Status FaultyProducer::flush(int64_t timeout_ms) {
  if (link_.sabotage == Sabotage::flush_does_not_wait) return {};
  MUIR_RETURN_IF_ERROR(link_.request("flush"));
  deliver(link_.sabotage != Sabotage::changelogs_after_commit);
  return inner_->flush(timeout_ms);
}

Result<int32_t> FaultyProducer::partition_count(const std::string& topic) {
  MUIR_RETURN_IF_ERROR(link_.request("metadata"));
  return inner_->partition_count(topic);
}

Status FaultyProducer::init_transactions(int64_t timeout_ms) {
  MUIR_RETURN_IF_ERROR(link_.request("init transactions"));
  MUIR_RETURN_IF_ERROR(inner_->init_transactions(timeout_ms));
  if (link_.dice().chance(link_.faults.answer_lost)) return error(Code::timed_out, "init transactions: no answer");
  return {};
}

Status FaultyProducer::begin_transaction() {
  if (unanswered_) return error(Code::failed_precondition, "begin transaction: one is being committed");
  MUIR_RETURN_IF_ERROR(inner_->begin_transaction());  // no request
  open_ = true;
  return {};
}

Status FaultyProducer::send_offsets_to_transaction(const client::Offsets& offsets, const client::GroupMetadata& group,
                                                   int64_t timeout_ms) {
  MUIR_RETURN_IF_ERROR(link_.request("send offsets"));
  client::GroupMetadata as = group;
  if (link_.sabotage == Sabotage::zombies_are_not_fenced) as = {.group_id = group.group_id};
  return inner_->send_offsets_to_transaction(offsets, as, timeout_ms);
}

Status FaultyProducer::commit_transaction(int64_t timeout_ms) {
  if (unanswered_) {
    MUIR_RETURN_IF_ERROR(link_.request("commit again"));
    unanswered_ = false;
    return {};
  }
  MUIR_RETURN_IF_ERROR(link_.request("commit"));
  if (link_.sabotage != Sabotage::flush_does_not_wait) {
    deliver(link_.sabotage != Sabotage::changelogs_after_commit);
  }
  MUIR_RETURN_IF_ERROR(inner_->commit_transaction(timeout_ms));
  open_ = false;
  if (link_.is_cut() || !link_.dice().chance(link_.faults.answer_lost)) return {};
  unanswered_ = true;
  return error(Code::timed_out, "commit transaction: no answer");
}

Status FaultyProducer::abort_transaction(int64_t timeout_ms) {
  std::deque<Batch> purged;
  purged.swap(waiting_);
  for (Batch& batch : purged) give_up(batch, error(Code::aborted, "purged"));
  if (unanswered_) return error(Code::failed_precondition, "abort transaction: it is being committed");
  MUIR_RETURN_IF_ERROR(link_.request("abort"));
  MUIR_RETURN_IF_ERROR(inner_->abort_transaction(timeout_ms));
  open_ = false;
  return {};
}

}  // namespace muir::simulation
