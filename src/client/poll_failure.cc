#include "client/poll_failure.h"

#include "wire/error_code.h"

namespace muir::client {
namespace {

PollFailureKind kind_of(const Status& status) {
  switch (status.code()) {
    case Code::out_of_range: return PollFailureKind::offset_out_of_range;
    case Code::not_found: return PollFailureKind::unknown_topic;
    case Code::permission_denied: return PollFailureKind::not_authorized;
    case Code::data_loss: return PollFailureKind::damaged;
    case Code::unavailable:
    case Code::timed_out:
    case Code::io_error:  // KAFKA_STORAGE_ERROR: another replica may lead soon
    case Code::resource_exhausted:
      return PollFailureKind::away;  // throttled
    // A broker that met what it did not expect is asked again, as Java's fetcher does.
    case Code::internal:
      return wire::kafka_code_of(status) == wire::ErrorCode::unknown_server_error ? PollFailureKind::away
                                                                                  : PollFailureKind::fatal;
    case Code::ok:
    case Code::invalid_argument:
    case Code::already_exists:
    case Code::failed_precondition:
    case Code::aborted:
    case Code::fenced:
    case Code::unsupported: return PollFailureKind::fatal;
  }
  return PollFailureKind::fatal;
}

}  // namespace

std::string_view to_string(PollFailureKind kind) {
  switch (kind) {
    case PollFailureKind::offset_out_of_range: return "offset_out_of_range";
    case PollFailureKind::unknown_topic: return "unknown_topic";
    case PollFailureKind::not_authorized: return "not_authorized";
    case PollFailureKind::damaged: return "damaged";
    case PollFailureKind::away: return "away";
    case PollFailureKind::fatal: return "fatal";
  }
  return "";
}

PollFailure PollFailure::of(Status status) { return {kind_of(status), std::move(status)}; }

}  // namespace muir::client
