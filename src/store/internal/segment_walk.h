// SegmentWalk: the rows of a store of segments that a query asks for, segment by segment, as they were when it was
// made.
#pragma once

#include <memory>
#include <utility>

#include "store/internal/engine.h"
#include "store/internal/time_segments.h"

namespace muir::store::internal {

// Query: `KeyRange rows(int64_t segment)`, a superset of the segment's rows; `static Result<Key> parse(BytesView)` of
// what follows the segment in a row's key; `bool matches(const Key&)`.
template <class Key, class Query>
class SegmentWalk {
 public:
  static Result<SegmentWalk> make(Engine& engine, Query query, TimeSegments::Span span, Order order) {
    const int64_t begin = order == Order::ascending ? span.first : span.last;
    std::unique_ptr<EngineIterator> rows;
    if (span.first <= span.last) rows = MUIR_TRY(engine.iterate(query.rows(begin), order));
    return SegmentWalk(std::move(rows), std::move(query), span, begin, order == Order::ascending ? 1 : -1);
  }

  bool next() {
    while (status_.ok() && inside()) {
      if (rows_->next()) {
        if (read()) return true;
        continue;
      }
      status_ = rows_->status();
      segment_ += step_;
      if (status_.ok() && inside()) rows_->seek(query_.rows(segment_));
    }
    return false;
  }
  // Valid until the next call of next().
  [[nodiscard]] const Key& key() const { return at_; }
  [[nodiscard]] BytesView row() const { return rows_->value(); }
  // Also between two calls of next(): the store may have been closed.
  [[nodiscard]] Status status() const { return status_.ok() && rows_ ? rows_->status() : status_; }
  void fail(Status status) { status_ = std::move(status); }

 private:
  SegmentWalk(std::unique_ptr<EngineIterator> rows, Query query, TimeSegments::Span span, int64_t begin, int64_t step)
      : rows_(std::move(rows)), query_(std::move(query)), span_(span), segment_(begin), step_(step) {}

  [[nodiscard]] bool inside() const { return segment_ >= span_.first && segment_ <= span_.last; }
  bool read() {
    auto at = rows_->key().size() < kSegmentSize ? Result<Key>(error(Code::data_loss, "read store: short key"))
                                                 : Query::parse(rows_->key().substr(kSegmentSize));
    if (!at.ok()) {
      status_ = at.status();
      return false;
    }
    at_ = *at;
    return query_.matches(at_);
  }

  std::unique_ptr<EngineIterator> rows_;
  Query query_;
  TimeSegments::Span span_;
  int64_t segment_;  // under way
  int64_t step_;
  Key at_{};
  Status status_;
};

}  // namespace muir::store::internal
