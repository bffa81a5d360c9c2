// Replay: posts recorded positions to the HTTP ingest, at their own pace or faster.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apps/vts/position_file.h"
#include "base/clock.h"
#include "base/status.h"
#include "net/tls.h"

namespace muir::vts {

struct ReplayOptions {
  std::string url = "http://127.0.0.1:8080";
  double speed = 1;         // times the recording's pace; 0: as fast as it is acknowledged
  bool keep_times = false;  // false: shifted to now, see replay_shift_ms()
  bool loop = false;        // begins again at the end, in time that goes on
  size_t batch = 500;       // positions per request at most
  // Where a round begins again, a vehicle is elsewhere than it ended. Its fixes are left out until it could have got
  // there at this speed, so that the seam is not reported as impossible speed.
  double seam_speed_kmh = 200;
  // How long a server that has never answered is tried. One that has is waited for without end.
  int64_t first_answer_ms = 30'000;
  std::shared_ptr<const net::TlsContext> tls{};  // of an https URL, shared by its connections; null: the system's trust
};

struct ReplayProgress {
  uint64_t sent = 0;      // acknowledged
  uint64_t rejected = 0;  // of these, by a rule
  uint64_t refused = 0;
  uint64_t left_out = 0;    // at a seam
  uint64_t rounds = 0;      // completed
  int64_t recorded_ms = 0;  // time of the last fix, as recorded
};

// When a recording begins and ends, epoch milliseconds.
struct RecordedSpan {
  int64_t first_ms = 0;
  int64_t last_ms = 0;
};

// What is added to every recorded time of a round that begins at `began_ms`. One shift for all, so that distances in
// time, and with them speeds, stay as recorded. At the recording's pace or slower the first fix happens as the round
// begins; faster, the last one as it ends, so that no fix is ever ahead of the clock.
int64_t replay_shift_ms(const RecordedSpan& span, const ReplayOptions& options, int64_t began_ms);

// A fix as it was sent, to judge a seam by.
struct SentFix {
  int64_t timestamp = 0;
  double lat = 0;
  double lon = 0;
};

// run() is for one thread; stop() and progress() are thread-safe.
class Replay {
 public:
  Replay(std::string path, ReplayOptions options, Clock& clock);

  // Where vehicles are known to be before the first round.
  void set_known(std::map<std::string, SentFix> known) { last_ = std::move(known); }
  // Returns at the end of the recording, or after stop(). Requests that are not acknowledged are sent again.
  Status run();
  void stop();
  [[nodiscard]] ReplayProgress progress() const;

 private:
  class Sender;
  Status run_round(Sender& sender);
  // Waits until the clock says so; false after stop().
  bool wait_until(int64_t time_ms);
  [[nodiscard]] bool at_seam(const RecordedFix& fix, int64_t timestamp);

  const std::string path_;
  const ReplayOptions options_;
  Clock& clock_;
  std::map<std::string, SentFix> last_;
  bool seam_open_ = false;

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  ReplayProgress progress_;
};

}  // namespace muir::vts
