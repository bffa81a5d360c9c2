// A vehicle's position, as the tracking system writes it, through Avro: as a C++ struct and as a run-time row.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"
#include "schema/avro_rows.h"
#include "schema/layout.h"
#include "serde/fields.h"

namespace muir {
namespace {

struct Position {
  std::string vehicle_id;
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  std::optional<double> heading;
  std::optional<int64_t> timestamp;
  std::optional<std::string> timestamp_text;
  int64_t received_at = 0;
};
void describe(Fields& f, Position& p) {
  f.name("bench.Position");
  f("vehicleId", p.vehicle_id)("lat", p.lat)("lon", p.lon)("speed", p.speed)("heading", p.heading);
  f("timestamp", p.timestamp)("timestampText", p.timestamp_text)("receivedAt", p.received_at);
}

Position a_position() {
  return {"V1234", 52.2297, 21.0122, 36.5, 90.0, 1'767'268'800'000, std::nullopt, 1'767'268'800'250};
}

Bytes position_bytes() {
  Bytes bytes;
  const Position position = a_position();
  CHECK(schema::avro::StructEncoder(layout_of<Position>()).encode(&position, bytes).ok());
  return bytes;
}

struct Rows {
  schema::RowLayoutPtr layout = *schema::RowLayout::make(schema::model_of(layout_of<Position>()));
  schema::avro::AvroRowEncoder encoder = *schema::avro::AvroRowEncoder::compile(layout);
  schema::avro::AvroRowDecoder decoder = *schema::avro::AvroRowDecoder::compile(encoder.schema(), layout);
};

void done(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void decode_struct(benchmark::State& state) {
  const Bytes bytes = position_bytes();
  const auto& layout = layout_of<Position>();
  const auto decoder = *schema::avro::StructDecoder::compile(schema::avro::schema_of(layout), layout);
  Position position;
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(bytes, &position).ok());
  done(state, bytes.size());
}
BENCHMARK(decode_struct);

void decode_row(benchmark::State& state) {
  const Bytes bytes = position_bytes();
  const Rows rows;
  schema::Row row;
  for (auto _ : state) benchmark::DoNotOptimize(rows.decoder.decode(bytes, row).ok());
  done(state, bytes.size());
}
BENCHMARK(decode_row);

void encode_struct(benchmark::State& state) {
  const schema::avro::StructEncoder encoder(layout_of<Position>());
  const Position position = a_position();
  Bytes bytes;
  for (auto _ : state) {
    bytes.clear();
    benchmark::DoNotOptimize(encoder.encode(&position, bytes).ok());
  }
  done(state, bytes.size());
}
BENCHMARK(encode_struct);

void encode_row(benchmark::State& state) {
  const Rows rows;
  schema::Row row;
  CHECK(rows.decoder.decode(position_bytes(), row).ok());
  Bytes bytes;
  for (auto _ : state) {
    bytes.clear();
    benchmark::DoNotOptimize(rows.encoder.encode(row, bytes).ok());
  }
  done(state, bytes.size());
}
BENCHMARK(encode_row);

// What a filter and a key cost: two columns and a hash.
void read_row(benchmark::State& state) {
  const Rows rows;
  schema::Row row;
  CHECK(rows.decoder.decode(position_bytes(), row).ok());
  const auto lat = static_cast<size_t>(rows.layout->column("lat"));
  const auto vehicle = static_cast<size_t>(rows.layout->column("vehicleId"));
  for (auto _ : state) {
    benchmark::DoNotOptimize(row.get<double>(lat));
    benchmark::DoNotOptimize(schema::hash_of(row.view()[vehicle]));
  }
  done(state, 0);
}
BENCHMARK(read_row);

}  // namespace
}  // namespace muir
