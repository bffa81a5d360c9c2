#include "apps/vts/position_file.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <charconv>
#include <deque>
#include <vector>

#include "apps/vts/csv.h"
#include "apps/vts/records.h"
#include "schema/avro_container.h"

namespace muir::vts {
namespace {

constexpr size_t kLineBytesMax = 64 * 1024;
constexpr int64_t kTimestampMax = 253'402'300'799'999;  // the end of the year 9999

bool is_time(int64_t timestamp) { return timestamp >= 0 && timestamp <= kTimestampMax; }

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failure == std::errc() && end == text.data() + text.size();
}

class CsvFile final : public PositionFile {
 public:
  CsvFile(gzFile file, std::string path) : file_(file), path_(std::move(path)) { ::gzbuffer(file_, 256 * 1024); }
  ~CsvFile() override { ::gzclose(file_); }

  Status read_header() {
    const bool there = MUIR_TRY(read_row());
    for (size_t n = 0; n < kNames.size(); ++n) {
      for (size_t i = 0; i < row_.size(); ++i) {
        if (row_[i] == kNames[n]) columns_[n] = i;
      }
      if ((!there || !columns_[n]) && n < 4) {
        return error(Code::invalid_argument,
                     "{}: no column {}; expected the header vehicle_id,ts_ms,lat,lon,speed_kmh,heading", path_,
                     kNames[n]);
      }
    }
    return {};
  }

  Result<std::optional<RecordedFix>> next() override {
    const bool there = MUIR_TRY(read_row());
    if (!there) return std::optional<RecordedFix>();
    RecordedFix fix{.vehicle_id = std::string(field(0))};
    if (fix.vehicle_id.empty()) return wrong(0, "a vehicle is needed");
    if (!parse_number(field(1), fix.timestamp) || !is_time(fix.timestamp)) return wrong(1, "milliseconds are needed");
    if (!parse_number(field(2), fix.lat)) return wrong(2, kNumber);
    if (!parse_number(field(3), fix.lon)) return wrong(3, kNumber);
    if (!field(4).empty() && !parse_number(field(4), fix.speed.emplace())) return wrong(4, kNumber);
    if (!field(5).empty() && !parse_number(field(5), fix.heading.emplace())) return wrong(5, kNumber);
    return std::optional(std::move(fix));
  }

 private:
  static constexpr std::array<std::string_view, 6> kNames = {"vehicle_id", "ts_ms",     "lat",
                                                             "lon",        "speed_kmh", "heading"};
  static constexpr std::string_view kNumber = "a number is needed";

  [[nodiscard]] Status wrong(size_t column, std::string_view why) const {
    return error(Code::invalid_argument, "{} line {}: {} '{}': {}", path_, line_, kNames[column],
                 field(column).substr(0, 32), why);
  }

  Result<bool> read_row() {
    for (;;) {
      ++line_;
      buffer_.resize(kLineBytesMax);
      if (::gzgets(file_, buffer_.data(), static_cast<int>(buffer_.size())) == nullptr) {
        int code = Z_OK;
        const char* message = ::gzerror(file_, &code);
        if (code != Z_OK && code != Z_STREAM_END)
          return error(Code::data_loss, "{} line {}: {}", path_, line_, message);
        return false;
      }
      std::string_view rest(buffer_.c_str());
      if (rest.empty()) return error(Code::data_loss, "{} line {}: a NUL byte", path_, line_);
      if (rest.size() == buffer_.size() - 1 && !rest.ends_with('\n'))
        return error(Code::data_loss, "{} line {}: longer than {} bytes", path_, line_, kLineBytesMax);
      auto row = take_csv_row(rest, row_);
      if (!row.ok()) return row.status().annotate(fmt::format("{} line {}", path_, line_));
      if (row_.size() > 1 || !row_[0].empty()) return true;
    }
  }

  [[nodiscard]] std::string_view field(size_t n) const {
    return columns_[n] && *columns_[n] < row_.size() ? std::string_view(row_[*columns_[n]]) : std::string_view();
  }

  gzFile file_;
  const std::string path_;
  std::string buffer_;
  std::vector<std::string> row_;
  std::array<std::optional<size_t>, 6> columns_{};
  size_t line_ = 0;
};

// What is read of an Avro file: any record whose schema resolves to this one.
struct AvroFix {
  std::string vehicle_id;
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  std::optional<double> heading;
  std::optional<int64_t> timestamp;
};
void describe(Fields& f, AvroFix& r) {
  f.name("muir.vts.RawPosition");
  f("vehicleId", r.vehicle_id)("lat", r.lat)("lon", r.lon)("speed", r.speed)("heading", r.heading)("timestamp",
                                                                                                   r.timestamp);
}

// The container's reader pushes; its data wait here. Positions without a time are left out.
class AvroFile final : public PositionFile {
 public:
  static Result<std::unique_ptr<PositionFile>> open(const std::string& path) {
    auto reader = MUIR_TRY(schema::avro::ContainerReader::open(path));
    auto file = std::make_unique<AvroFile>();
    AvroFix fix;
    const Status status = reader.for_each(layout_of<AvroFix>(), &fix, [&] {
      if (!fix.timestamp) return Status();
      if (!is_time(*fix.timestamp))
        return error(Code::invalid_argument, "a position of {} at {} ms is of no time", fix.vehicle_id, *fix.timestamp);
      file->fixes_.push_back({fix.vehicle_id, *fix.timestamp, fix.lat, fix.lon, fix.speed, fix.heading});
      return Status();
    });
    if (!status.ok()) return status.annotate(path);
    return std::unique_ptr<PositionFile>(std::move(file));
  }
  Result<std::optional<RecordedFix>> next() override {
    if (fixes_.empty()) return std::optional<RecordedFix>();
    std::optional<RecordedFix> fix = std::move(fixes_.front());
    fixes_.pop_front();
    return fix;
  }

 private:
  std::deque<RecordedFix> fixes_;
};

}  // namespace

Result<std::unique_ptr<PositionFile>> PositionFile::open(const std::string& path) {
  if (path.ends_with(".avro")) return AvroFile::open(path);
  const gzFile handle = ::gzopen(path.c_str(), "rb");  // reads plain text as well
  if (handle == nullptr) return error(Code::not_found, "{}: cannot be opened", path);
  auto file = std::make_unique<CsvFile>(handle, path);
  MUIR_RETURN_IF_ERROR(file->read_header());
  return std::unique_ptr<PositionFile>(std::move(file));
}

int fuzz_position_file(BytesView input) {
  const int memory = ::memfd_create("positions", 0);
  MUIR_CHECK(memory >= 0 && ::write(memory, input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  int positions = 0;
  if (auto file = PositionFile::open(fmt::format("/proc/self/fd/{}", memory)); file.ok()) {
    for (auto fix = (*file)->next(); fix.ok() && fix->has_value(); fix = (*file)->next()) {
      MUIR_CHECK(!(*fix)->vehicle_id.empty() && is_time((*fix)->timestamp), "half a position");
      positions = 1;
    }
  }
  ::close(memory);
  return positions;
}

}  // namespace muir::vts
