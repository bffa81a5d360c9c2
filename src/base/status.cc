#include "base/status.h"

#include <cstdio>
#include <cstdlib>

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

Status::Status(Code code, std::string message, int detail) {
  if (code != Code::ok) rep_ = std::make_shared<const Rep>(Rep{code, detail, std::move(message)});
}

const std::string& Status::message() const {
  static const std::string kEmpty;
  return rep_ ? rep_->message : kEmpty;
}

std::string Status::to_string() const {
  return ok() ? "ok" : fmt::format("{} ({})", message(), muir::to_string(code()));
}

Status Status::annotate(std::string_view context) const {
  if (ok()) return {};
  return Status(code(), fmt::format("{}: {}", context, message()), detail());
}

namespace internal {
void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  fmt::print(stderr, "{}:{}: check failed: {}{}{}\n", file, line, condition, message.empty() ? "" : ": ", message);
  std::abort();
}
}  // namespace internal
}  // namespace muir
