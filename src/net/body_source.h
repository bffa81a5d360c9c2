// BodySource: the body of an answer that is made while the peer reads it, however long it is.
#pragma once

#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

class BodySource {
 public:
  using Done = std::function<void(Result<Bytes> part)>;

  // Called when the answer has ended or its connection has: whoever makes long parts ends then, too.
  virtual ~BodySource() = default;
  // Gives `done` the next part, once, now or later, from any thread; an empty one is the end. Asked again when the peer
  // has read the part before but for 64 KiB. An error cuts the connection, so that nobody takes half a body for a whole
  // one. Called on the loop, so it must not block.
  virtual void next(Done done) = 0;
};

// Parts that are made at once, each in little time.
std::shared_ptr<BodySource> body_of(std::function<Result<Bytes>()> next);

}  // namespace muir::net
