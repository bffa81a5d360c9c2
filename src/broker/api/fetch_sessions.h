// FetchSessions: what the broker remembers of consumers between their fetches (KIP-227).
//
// A consumer names all its partitions once, with epoch 0, and is given a session id; with it, it names only what has
// changed, and is told only of partitions that have something new. Every answer moves the session to its next epoch, so
// that a request that was lost or came twice is found out. A consumer that loses its session begins with a full fetch.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/kafka_ids.h"
#include "wire/error_code.h"
#include "wire/messages/fetch.h"
#include "wire/uuid.h"

namespace muir::broker {

// A partition as a fetch asks for it; the topic by its id (version 13 and later) or by its name.
struct FetchedPartition {
  std::string topic;
  wire::Uuid topic_id;
  wire::FetchRequest::Partition wanted;
};

// Thread-safe.
class FetchSessions {
 public:
  // A session may give way to another one once it has been idle, or has existed, for so long.
  static constexpr int64_t kEvictionMs = 120'000;
  // Partitions of all sessions together: what they may take of the memory.
  static constexpr size_t kPartitionsMax = 1'000'000;
  // Of one: with more it is fetched without a session. They are copied for each fetch, while the others wait.
  static constexpr size_t kPartitionsOfOneMax = 100'000;
  // Of all fetches that wait for records: what they may take of the memory.
  static constexpr size_t kPartitionsWaitingMax = 500'000;

  // At most `slots` sessions at a time. `clock` outlives this; `seed` is where session ids come from.
  FetchSessions(size_t slots, Clock& clock, uint64_t seed) : slots_(slots), clock_(clock), random_(seed) {}

  // How one request is to be answered.
  struct Fetch {
    enum class Kind : unsigned char { sessionless, full, incremental };

    wire::ErrorCode error = wire::ErrorCode::none;  // another one is the whole answer
    Kind kind = Kind::sessionless;
    int32_t session_id = 0;  // of an incremental fetch, and the epoch in which its answer finds the session
    int32_t epoch = 0;
    bool by_topic_id = false;
    std::vector<FetchedPartition> partitions;  // to be read, in this order
  };
  Fetch begin(const wire::FetchRequest& request, int16_t version);

  struct Answer {
    wire::ErrorCode error = wire::ErrorCode::none;
    int32_t session_id = 0;  // 0: there is none
    std::vector<bool> told;  // which of the partitions the consumer is told of
  };
  // `partitions` are what was found, one for each of the fetch's, in its order. Makes the session of a full fetch.
  Answer finish(const Fetch& fetch, std::span<const wire::FetchResponse::Partition> partitions);

  // Whether a fetch of so many partitions may wait for records; if so, until end_waiting().
  [[nodiscard]] bool begin_waiting(size_t partitions);
  void end_waiting(size_t partitions) { waiting_ -= partitions; }

  [[nodiscard]] size_t size() const;
  // From 2^31-1 to 1: 0 begins a session.
  static int32_t epoch_after(int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }

 private:
  struct Place {
    FetchedPartition partition;
    // As the consumer was told last; kNoOffset where it must be told again.
    Offset high_watermark = kNoOffset;
    Offset log_start = kNoOffset;
  };
  using Places = std::list<Place>;  // those that returned records go to the end, so that each has its turn
  using Key = std::pair<std::string, PartitionId>;  // topic or its id
  struct Session {
    int32_t epoch = 1;
    bool by_topic_id = false;
    int64_t created_ms = 0;
    int64_t used_ms = 0;
    Places places;
    std::map<Key, Places::iterator> index;
  };
  using Sessions = std::unordered_map<int32_t, Session>;

  static Key key_of(const FetchedPartition& partition, bool by_topic_id);
  static bool tell(Place& place, const wire::FetchResponse::Partition& found);
  // All need the lock.
  void update(Session& session, std::vector<FetchedPartition> named, const wire::FetchRequest& request);
  void put(Session& session, FetchedPartition partition);
  int32_t create(const Fetch& fetch, std::span<const wire::FetchResponse::Partition> partitions);
  bool make_room(size_t partitions);
  void erase(Sessions::iterator session);

  const size_t slots_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  Sessions sessions_;
  size_t partitions_ = 0;            // of all sessions
  std::atomic<size_t> waiting_ = 0;  // partitions of the fetches that do
};

}  // namespace muir::broker
