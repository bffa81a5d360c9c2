// PollFailure: all that a Consumer's poll() can fail with, for a switch. Polled: the records, or one of these.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/status.h"
#include "client/records.h"

namespace muir::client {

// What is told of one partition leaves the others readable: the next poll() goes on with them.
enum class PollFailureKind : unsigned char {
  offset_out_of_range,  // the partition has no such offset (any more) and is not read on until its owner seeks
  unknown_topic,        // the partition does not exist, any more or yet; it is looked for again
  not_authorized,       // the cluster does not let this client read the topic, or does not let it in at all
  damaged,              // the next batch of the partition cannot be read: checksum, compression or framing are wrong
  away,                 // brokers do not answer, or leaders are moving; the consumer goes on trying by itself
  fatal,                // anything else: no answer will be better
};
std::string_view to_string(PollFailureKind kind);

// Immutable in use; copying shares.
struct PollFailure {
  PollFailureKind kind = PollFailureKind::fatal;
  Status status;  // what happened, for people and for those who hand it on; never OK

  // The failure that a status of a client's means. The only place where codes are read for it.
  static PollFailure of(Status status);
  // Whose it is; null: not of one partition.
  [[nodiscard]] const TopicPartition* partition() const { return status.partition(); }
};

// What poll() returns. Like Result<std::unique_ptr<Records>>, with a failure that says which one it is.
class [[nodiscard]] Polled {
 public:
  using value_type = std::unique_ptr<Records>;

  Polled(std::unique_ptr<Records> records) : value_(std::move(records)) {}  // NOLINT: implicit by design
  Polled(PollFailure failure) : value_(std::move(failure)) {                // NOLINT: implicit by design
    CHECK(!std::get<PollFailure>(value_).status.ok(), "a failed poll needs an error");
  }

  [[nodiscard]] bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Of one that is not ok().
  [[nodiscard]] const PollFailure& failure() const { return std::get<PollFailure>(value_); }
  // For who hands every failure on.
  [[nodiscard]] Status status() const { return ok() ? Status() : failure().status; }

  std::unique_ptr<Records>& operator*() & { return checked(); }
  std::unique_ptr<Records>&& operator*() && { return std::move(checked()); }
  const std::unique_ptr<Records>& operator*() const& { return checked(); }
  std::unique_ptr<Records>* operator->() { return &checked(); }
  const std::unique_ptr<Records>* operator->() const { return &checked(); }
  std::unique_ptr<Records>& value() & { return checked(); }
  std::unique_ptr<Records>&& value() && { return std::move(checked()); }

 private:
  std::unique_ptr<Records>& checked() {
    CHECK(ok(), "records of a failed poll: {}", failure().status.message());
    return *std::get_if<0>(&value_);
  }
  const std::unique_ptr<Records>& checked() const { return const_cast<Polled*>(this)->checked(); }
  std::variant<std::unique_ptr<Records>, PollFailure> value_;
};

}  // namespace muir::client
