#include "base/status.h"

#include <cstdio>
#include <cstdlib>

#include "base/topic_partition.h"

namespace muir {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::ok: return "ok";
    case Code::invalid_argument: return "invalid argument";
    case Code::not_found: return "not found";
    case Code::already_exists: return "already exists";
    case Code::out_of_range: return "out of range";
    case Code::failed_precondition: return "failed precondition";
    case Code::permission_denied: return "permission denied";
    case Code::resource_exhausted: return "resource exhausted";
    case Code::unavailable: return "unavailable";
    case Code::timed_out: return "timed out";
    case Code::aborted: return "aborted";
    case Code::fenced: return "fenced";
    case Code::data_loss: return "data loss";
    case Code::unsupported: return "unsupported";
    case Code::io_error: return "i/o error";
    case Code::internal: return "internal error";
  }
  return "unknown";
}

Status::Status(Code code, std::string message, DomainCode number) {
  if (code != Code::ok) rep_ = std::make_shared<const Rep>(Rep{code, number, std::move(message)});
}

Status::Status(Rep rep) : rep_(std::make_shared<const Rep>(std::move(rep))) {}

const std::string& Status::message() const {
  static const std::string kEmpty;
  return rep_ ? rep_->message : kEmpty;
}

std::string Status::to_string() const {
  return ok() ? "ok" : fmt::format("{} ({})", message(), muir::to_string(code()));
}

int Status::number(Domain domain) const { return rep_ && rep_->number.domain == domain ? rep_->number.number : 0; }

Status Status::annotate(std::string_view context) const {
  return ok() ? Status() : with_message(fmt::format("{}: {}", context, message()));
}

Status Status::with_message(std::string message) const {
  if (ok()) return {};
  return Status(Rep{rep_->code, rep_->number, std::move(message), rep_->partition});
}

Status Status::with(Code code) const {
  if (ok()) return {};
  MUIR_CHECK(code != Code::ok, "a failure cannot become OK: {}", message());
  return Status(Rep{code, rep_->number, rep_->message, rep_->partition});
}

Status Status::with(DomainCode number) const {
  if (ok()) return {};
  return Status(Rep{rep_->code, number, rep_->message, rep_->partition});
}

Status Status::at(TopicPartition partition) const {
  if (ok()) return {};
  return Status(
      Rep{rep_->code, rep_->number, rep_->message, std::make_shared<const TopicPartition>(std::move(partition))});
}

namespace internal {
void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  fmt::print(stderr, "{}:{}: check failed: {}{}{}\n", file, line, condition, message.empty() ? "" : ": ", message);
  std::abort();
}
}  // namespace internal
}  // namespace muir
