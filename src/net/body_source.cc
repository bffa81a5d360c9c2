#include "net/body_source.h"

#include <utility>

namespace muir::net {
namespace {

class MadeAtOnce final : public BodySource {
 public:
  explicit MadeAtOnce(std::function<Result<Bytes>()> next) : next_(std::move(next)) {}
  void next(Done done) override { done(next_()); }

 private:
  const std::function<Result<Bytes>()> next_;
};

}  // namespace

std::shared_ptr<BodySource> body_of(std::function<Result<Bytes>()> next) {
  return std::make_shared<MadeAtOnce>(std::move(next));
}

}  // namespace muir::net
