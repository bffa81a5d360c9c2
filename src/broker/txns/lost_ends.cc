#include "broker/txns/lost_ends.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/log.h"
#include "broker/internal/partition_log.h"
#include "broker/txns/txn_state.h"
#include "log/log_manager.h"

namespace muir::broker {
namespace {

// What one partition of __transaction_state says of the producers that are asked for.
struct History {
  struct Decision {
    ProducerId producer_id;
    int64_t at_ms = 0;
    bool committed = false;
    std::set<TopicPartition> partitions;
  };
  std::vector<Decision> decisions;
  // Compaction has taken away what came before; INT64_MIN when it has taken nothing.
  int64_t complete_since_ms = INT64_MIN;
};

struct Question {
  std::shared_ptr<storage::Partition> partition;
  storage::Partition::LostEnd lost;
};

Result<std::vector<Question>> questions(BrokerContext& context) {
  std::vector<Question> out;
  for (const auto& topic : context.logs->topics()) {
    for (const auto& partition : topic->partitions) {
      if (partition->damage().undecided == 0) continue;
      for (const auto& lost : MUIR_TRY(partition->lost_ends())) out.push_back({partition, lost});
    }
  }
  return out;
}

// Nullopt for a partition that does not hold all that was written to it.
Result<std::optional<History>> read_history(PartitionLog& log, const storage::Partition& state,
                                            const std::set<ProducerId>& producers) {
  using Found = std::optional<History>;
  if (state.damage().ranges > 0) return Found();
  const Offset complete_from = state.cleaned_to();
  History out;
  if (complete_from > Offset()) out.complete_since_ms = INT64_MAX;
  const Status read = read_partition(
      log, kTransactionState, state.index(),
      [&](PartitionId, const wire::BatchHeader& batch, const wire::Record& record) -> Status {
        if (batch.control() || record.offset < complete_from) return {};
        const auto stored = parse_txn_record(record);
        if (!stored.ok() || !*stored || !(*stored)->fields) return {};
        const TxnFields& fields = *(*stored)->fields;
        if (complete_from > Offset()) out.complete_since_ms = std::min(out.complete_since_ms, fields.updated_ms);
        const bool decision = fields.state == TxnState::prepare_commit || fields.state == TxnState::prepare_abort;
        if (decision && producers.contains(fields.producer_id)) {
          out.decisions.push_back(
              {fields.producer_id, fields.updated_ms, fields.state == TxnState::prepare_commit, fields.partitions});
        }
        return {};
      });
  MUIR_RETURN_IF_ERROR(read);
  return Found(std::move(out));
}

bool may_be(const Question& question, const History::Decision& decision) {
  const storage::Partition::LostEnd& lost = question.lost;
  const TopicPartition where(question.partition->topic(), question.partition->index());
  const bool later =
      !lost.after_ms || decision.at_ms > *lost.after_ms || (decision.at_ms == *lost.after_ms && !lost.after_own);
  return decision.producer_id == lost.txn.producer_id && later && decision.at_ms <= lost.before_ms &&
         decision.partitions.contains(where);
}

// Nullopt when the histories do not tell.
std::optional<bool> committed(const Question& question, const std::vector<History>& histories) {
  std::vector<bool> outcomes;
  for (const History& history : histories) {  // a producer has one
    for (const auto& decision : history.decisions) {
      if (!may_be(question, decision)) continue;
      // An earlier one may have been taken away by compaction.
      if (history.complete_since_ms > question.lost.after_ms.value_or(INT64_MIN)) return std::nullopt;
      outcomes.push_back(decision.committed);
    }
  }
  // The last one is that of the marker that is there, if there are two. If not, this marker ended what is asked for.
  if (question.lost.before_own && outcomes.size() > 1) outcomes.pop_back();
  if (outcomes.empty() || std::adjacent_find(outcomes.begin(), outcomes.end(), std::not_equal_to<>()) != outcomes.end())
    return std::nullopt;
  return outcomes.front();
}

}  // namespace

Status decide_lost_ends(BrokerContext& context) {
  const std::vector<Question> asked = MUIR_TRY(questions(context));
  const auto state = context.logs->find_topic(kTransactionState);
  if (asked.empty() || state == nullptr) return {};
  std::set<ProducerId> producers;
  for (const Question& question : asked) producers.insert(question.lost.txn.producer_id);
  std::vector<History> histories;
  for (const auto& partition : state->partitions) {
    auto history = MUIR_TRY(read_history(*context.partition_log, *partition, producers));
    // What it has lost may be what is asked for.
    if (!history) return {};
    histories.push_back(*std::move(history));
  }
  for (const Question& question : asked) {
    if (const auto decision = committed(question, histories)) question.partition->decide(question.lost.txn, *decision);
  }
  return {};
}

}  // namespace muir::broker
