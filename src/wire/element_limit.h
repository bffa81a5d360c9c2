// ElementLimit: bounds what the arrays of a message come to when it is decoded. An element of one byte on the wire
// takes a hundred in memory and as much again in the answer.
//
//   ElementLimit limit(1000);
//   const Status status = decode(reader, version, request);   // fails when there are more
//   if (limit.exceeded()) ...
#pragma once

#include <cstddef>

namespace muir::wire {

// While it lives, for what its thread decodes: elements of all arrays of a message together, at every depth, and tags
// that are not known. One at a time.
class ElementLimit {
 public:
  explicit ElementLimit(size_t most) : left_(most) { current() = this; }
  ~ElementLimit() { current() = nullptr; }
  ElementLimit(const ElementLimit&) = delete;
  ElementLimit& operator=(const ElementLimit&) = delete;

  // Before so many elements are read; false when these are too many.
  [[nodiscard]] bool take(size_t elements) {
    exceeded_ = exceeded_ || elements > left_;
    if (!exceeded_) left_ -= elements;
    return !exceeded_;
  }
  [[nodiscard]] bool exceeded() const { return exceeded_; }
  // That of the thread; null: none.
  static ElementLimit*& current();

 private:
  size_t left_;
  bool exceeded_ = false;
};

}  // namespace muir::wire
