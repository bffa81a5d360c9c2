// Vehicles whose clocks have nothing to do with each other, in one partition, against a reference that knows one
// vehicle at a time and was written from the rules of docs/guide/vts.md alone.
#include <cmath>
#include <numbers>
#include <random>

#include "apps/vts/topology_testing.h"

namespace muir::vts {
namespace {

constexpr int64_t kRetention = 600'000;
constexpr int64_t kSilent = 1'800'000;
constexpr int64_t kWindow = 300'000;
constexpr int64_t kGrace = 60'000;

double metres(double lat1, double lon1, double lat2, double lon2) {
  const double to_radians = std::numbers::pi / 180;
  const double a =
      std::pow(std::sin((lat2 - lat1) * to_radians / 2), 2) +
      std::cos(lat1 * to_radians) * std::cos(lat2 * to_radians) * std::pow(std::sin((lon2 - lon1) * to_radians / 2), 2);
  return 2 * 6'371'008.8 * std::asin(std::sqrt(a));
}

// What has come of a vehicle's positions, as text where order matters.
struct Results {
  std::vector<std::string> fixes;
  std::vector<std::string> letters;
  std::vector<std::string> alerts;
  std::map<int64_t, std::string> windows;
  std::string state = "none";
  bool operator==(const Results&) const = default;
};

std::string text(std::optional<double> value) { return value ? fmt::format("{}", *value) : "-"; }
std::string window_text(double mean, int64_t count) { return fmt::format("{:.6f} of {}", mean, count); }

class ReferenceVehicle {
 public:
  void take(const RawPosition& p) {
    if (const std::string rule = broken_rule(p); !rule.empty()) return reject(p, rule);
    received_clock_ = std::max(received_clock_, p.received_at);
    const int64_t ts = *p.timestamp;
    if (is_known(ts, p.received_at)) {
      ++duplicates;
      return;
    }
    seen_[ts] = p.received_at;
    const bool history = p.received_at <= removed_at_;
    const bool late = history || (newest_ && ts <= newest_->ts);
    if (!late && newest_ && too_far(*newest_, p)) {
      // The run of fixes elsewhere: each newer than the one before, and within reach of it.
      if (run_.empty() || ts > run_.back().ts) {
        if (!run_.empty() && too_far(run_.back(), p)) run_.clear();
        run_.push_back({ts, p.lat, p.lon});
      } else {
        return reject(p, "implied_speed");
      }
      if (run_.size() < 3) return reject(p, "implied_speed");
    }
    const std::optional<double> speed = p.speed && *p.speed != -1 ? p.speed : std::nullopt;
    results.fixes.push_back(fmt::format("{} {} {} {}{}", ts, p.lat, p.lon, text(speed), late ? " late" : ""));
    if (!late) advance(p, speed);
    const int64_t start = ts / kWindow * kWindow;
    if (speed && newest_ && start + kWindow + kGrace > newest_->ts) {
      sums_[start].push_back(*speed);
      double sum = 0;
      for (const double value : sums_[start]) sum += value;
      results.windows[start] =
          window_text(sum / static_cast<double>(sums_[start].size()), static_cast<int64_t>(sums_[start].size()));
    }
  }

  void remove(int64_t at) {
    newest_.reset();
    episode_.reset();
    run_.clear();
    sums_.clear();
    seen_.clear();
    received_clock_ = 0;
    removed_at_ = at;
    results.state = "none";
  }

  Results results;
  int64_t duplicates = 0;

 private:
  struct Place {
    int64_t ts;
    double lat;
    double lon;
  };

  static std::string broken_rule(const RawPosition& p) {
    if (!p.timestamp) return "unparseable_time";
    if (std::abs(p.lat) > 90) return "latitude_out_of_range";
    if (p.speed && *p.speed != -1 && (*p.speed < 0 || *p.speed > 1000)) return "speed_out_of_range";
    if (*p.timestamp > p.received_at + 60'000) return "future_time";
    return "";
  }
  bool is_known(int64_t ts, int64_t received) const {
    const auto it = seen_.find(ts);
    if (it == seen_.end() || (it->second <= removed_at_ && received > removed_at_)) return false;
    if (it->second < received - kSilent) return false;
    return ts >= seen_.rbegin()->first - kRetention || it->second >= received_clock_ - kRetention;
  }
  static bool too_far(const Place& from, const RawPosition& p) {
    return metres(from.lat, from.lon, p.lat, p.lon) / static_cast<double>(*p.timestamp - from.ts) * 3600 > 250;
  }
  void reject(const RawPosition& p, const std::string& rule) {
    results.letters.push_back(fmt::format("{} {}", p.timestamp.value_or(0), rule));
  }
  void advance(const RawPosition& p, std::optional<double> speed) {
    const bool inside = p.lon >= 21 && p.lon < 22;
    if (newest_ && inside != inside_)
      results.alerts.push_back(fmt::format("{} {}", *p.timestamp, inside ? "zone_enter" : "zone_exit"));
    inside_ = inside;
    newest_ = Place{*p.timestamp, p.lat, p.lon};
    run_.clear();
    if (speed && *speed > 50) {
      if (!episode_) episode_ = {*p.timestamp, *speed};
      episode_->second = std::max(episode_->second, *speed);
    } else if (speed && episode_) {
      results.alerts.push_back(fmt::format("{} overspeed {} {}", *p.timestamp, episode_->first, episode_->second));
      episode_.reset();
    }
    results.state = fmt::format("{} {} {} {}{}", *p.timestamp, p.lat, p.lon, text(speed), episode_ ? " over" : "");
  }

  std::optional<Place> newest_;
  bool inside_ = false;
  std::optional<std::pair<int64_t, double>> episode_;
  std::vector<Place> run_;
  std::map<int64_t, std::vector<double>> sums_;
  std::map<int64_t, int64_t> seen_;
  int64_t received_clock_ = 0;
  int64_t removed_at_ = -1;
};

// A tracker with a clock of its own and every bad habit there is.
class Device {
 public:
  Device(std::string id, int64_t clock, std::mt19937& random) : id_(std::move(id)), clock_(clock), random_(random) {}

  RawPosition next(int64_t now) {
    const int what = draw(100);
    if (!sent_.empty() && what < 12)
      return again(sent_[static_cast<size_t>(draw(static_cast<int>(sent_.size())))], now);
    if (!sent_.empty() && what < 20) return again(sent_.back(), now);
    RawPosition p{.vehicle_id = id_, .received_at = now};
    if (what < 22) {  // long offline, or a clock that was wrong
      clock_ += 1000LL * draw(40'000);
    } else {
      clock_ += 1000LL * (1 + draw(60));
    }
    clock_ = std::min(clock_, now + 50'000);
    p.timestamp = clock_;
    if (what < 34) p.timestamp = clock_ - 1000LL * draw(draw(4) == 0 ? 4000 : 400);  // late
    if (what == 34) p.timestamp = now + 60'001 + 1000LL * draw(10'000'000);          // ahead of the clock
    if (what == 35) p.timestamp.reset();
    lon_ += 0.001 * (draw(7) - 3);
    p.lat = 52.5;
    p.lon = lon_;
    if (what == 36) p.lat = 91;
    if (what == 37) lon_ = 20.6 + draw(8) * 0.1;        // it was somewhere else all the time
    if (what >= 38 && what < 44) p.lon = 19 + draw(2);  // an outlier, sometimes the same several times
    if (draw(5) > 0) p.speed = draw(70);
    if (what == 44) p.speed = -1;
    if (what == 45) p.speed = 1e9;
    sent_.push_back(p);
    return p;
  }

 private:
  int draw(int below) { return std::uniform_int_distribution(0, below - 1)(random_); }
  static RawPosition again(RawPosition p, int64_t now) {
    p.received_at = now;
    return p;
  }

  std::string id_;
  int64_t clock_;
  std::mt19937& random_;
  double lon_ = 20.99;
  std::vector<RawPosition> sent_;
};

// What the topics say, by vehicle.
std::map<std::string, Results> read_results(Line& line) {
  std::map<std::string, Results> out;
  for (const auto& r : line.read<EnrichedPosition>(kEnrichedTopic)) {
    const EnrichedPosition& p = *r.value;
    out[p.vehicle_id].fixes.push_back(
        fmt::format("{} {} {} {}{}", p.timestamp, p.lat, p.lon, text(p.speed), p.late ? " late" : ""));
  }
  for (const auto& r : line.read<DeadLetter>(kDlqTopic)) {
    out[*r.value->vehicle_id].letters.push_back(fmt::format("{} {}", r.value->timestamp.value_or(0), r.value->rule));
  }
  for (const auto& r : line.read<Alert>(kAlertsTopic)) {
    const Alert& a = *r.value;
    out[a.vehicle_id].alerts.push_back(a.kind == "overspeed"
                                           ? fmt::format("{} overspeed {} {}", a.timestamp, *a.start, *a.peak)
                                           : fmt::format("{} {}", a.timestamp, a.kind));
  }
  for (const auto& r : line.read<SpeedAverage>(kSpeedTopic))
    out[r.value->vehicle_id].windows[r.value->window_start] = window_text(r.value->avg_speed, r.value->count);
  for (const auto& r : line.read<VehicleState>(kStateTopic)) {
    out[*r.key].state = r.value ? fmt::format("{} {} {} {}{}", r.value->timestamp, r.value->lat, r.value->lon,
                                              text(r.value->speed), r.value->overspeed ? " over" : "")
                                : "none";
  }
  return out;
}

void check_interleaving(unsigned seed) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const auto draw = [&random](int below) { return std::uniform_int_distribution(0, below - 1)(random); };
  Line line({.duplicate_retention = std::chrono::milliseconds(kRetention),
             .silent_retention = std::chrono::milliseconds(kSilent)});
  // Ids that begin alike.
  const std::vector<std::string> ids{"V1", "V10", "V1 ", "V", "other"};
  std::vector<Device> trackers;
  std::map<std::string, ReferenceVehicle> reference;
  int64_t now = kBase;
  for (const std::string& id : ids) trackers.emplace_back(id, kBase - 3'600'000LL * draw(3) * draw(30), random);
  for (int i = 0; i < 1200; ++i) {
    now += draw(100) == 0 ? 60'000LL * draw(30) : draw(4000);
    if (draw(300) == 0) {
      ASSERT_TRUE(line.driver().restart().ok());
    }
    if (draw(50) == 0) {
      ASSERT_TRUE(line.driver().advance_wall_clock(std::chrono::minutes(1)).ok());  // sweeps the silent
    }
    const size_t which = static_cast<size_t>(draw(static_cast<int>(ids.size())));
    if (draw(250) == 0) {
      const int64_t at = now + draw(20'000) - 5000;  // what is received until then is on its way
      line.remove(ids[which], at);
      reference[ids[which]].remove(at);
      continue;
    }
    const RawPosition position = trackers[which].next(now);
    line.post(position);
    reference[position.vehicle_id].take(position);
  }
  const PartitionCounts counts = line.counts();
  const auto results = read_results(line);
  int64_t duplicates = 0;
  for (const std::string& id : ids) {
    const Results& want = reference[id].results;
    ASSERT_TRUE(results.contains(id));
    const Results& got = results.at(id);
    EXPECT_EQ(got.fixes, want.fixes) << id;
    EXPECT_EQ(got.letters, want.letters) << id;
    EXPECT_EQ(got.alerts, want.alerts) << id;
    EXPECT_EQ(got.windows, want.windows) << id;
    EXPECT_EQ(got.state, want.state) << id;
    duplicates += reference[id].duplicates;
  }
  EXPECT_EQ(counts.duplicates, duplicates);
  EXPECT_GT(counts.duplicates, 50);
  EXPECT_GT(counts.accepted, 300);
  EXPECT_GT(counts.late, 10);
  EXPECT_GT(counts.alerts, 10);
}

TEST(VehicleClocks, DoNotTouchEachOther) {
  for (const unsigned seed : {52210U, 52211U, 52212U, 52213U, 52214U, 52215U}) check_interleaving(seed);
}

}  // namespace
}  // namespace muir::vts
