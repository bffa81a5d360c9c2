#include "client/internal/fetch_share.h"

#include <algorithm>

namespace muir::client::internal {
namespace {

constexpr size_t kSampleRecordBytes = 100;
constexpr FetchShare kLeast{.messages = 16, .kbytes = 1, .answer_bytes = 65'536};
// While all partitions have room at once, answers bring a part of the budget each, so that it is noticed in time.
constexpr size_t kAnswersInBudget = 16;

}  // namespace

size_t partition_bytes(const FetchShare& share) {
  constexpr size_t per_record = kSampleRecordBytes + kQueuedRecordBytes;
  const size_t queued = std::min(share.messages, share.kbytes * 1024 / kSampleRecordBytes);
  return queued * per_record + share.fetch_bytes / kSampleRecordBytes * per_record;
}

FetchShare share_of(const FetchShare& most, size_t budget, size_t partitions, unsigned halvings) {
  const size_t whole = partition_bytes(most) * std::max<size_t>(partitions, 1);
  const double part =
      std::min(1.0, static_cast<double>(budget) / static_cast<double>(whole)) / static_cast<double>(1ULL << halvings);
  const auto scaled = [](size_t all, size_t least, double by) {
    return std::max(static_cast<size_t>(static_cast<double>(all) * by), std::min(all, least));
  };
  constexpr size_t growth = (kSampleRecordBytes + kQueuedRecordBytes) / kSampleRecordBytes;
  const size_t answer = (budget / kAnswersInBudget / growth) >> halvings;
  FetchShare out = most;
  out.messages = scaled(most.messages, kLeast.messages, part);
  out.kbytes = scaled(most.kbytes, kLeast.kbytes, part);
  if (part < 1) out.answer_bytes = std::min(most.answer_bytes, std::max(answer, kLeast.answer_bytes));
  return out;
}

}  // namespace muir::client::internal
