// Avro decoding into and encoding from dynamic values; described structs are measured in serde_bench.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"

namespace muir::schema::avro {
namespace {

SchemaPtr position_schema() {
  return *parse(
      R"({"type":"record","name":"P","fields":[{"name":"v","type":"string"},{"name":"lat","type":"double"},{"name":"lon","type":"double"},{"name":"t","type":"long"}]})");
}
Value a_position() {
  return Value(Value::Record{{Value("V1234"), Value(52.2297), Value(21.0122), Value(int64_t{1'767'268'800'000})}});
}

void decode_value(benchmark::State& state) {
  const auto schema = position_schema();
  const auto decoder = *ValueDecoder::compile(schema, schema);
  Bytes bytes;
  CHECK(encode(*schema, a_position(), bytes).ok());
  Value value;
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(bytes, value).ok());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_value);

void encode_value(benchmark::State& state) {
  const auto schema = position_schema();
  const Value value = a_position();
  Bytes bytes;
  for (auto _ : state) {
    bytes.clear();
    benchmark::DoNotOptimize(encode(*schema, value, bytes).ok());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(encode_value);

void decode_doubles(benchmark::State& state) {
  const auto schema = *parse(R"({"type":"array","items":"double"})");
  const auto decoder = *ValueDecoder::compile(schema, schema);
  Bytes bytes;
  CHECK(encode(*schema, Value(Value::Array{std::vector<Value>(1000, Value(1.5))}), bytes).ok());
  Value value;
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(bytes, value).ok());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(decode_doubles);

void parse_schema(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(position_schema());
}
BENCHMARK(parse_schema);

}  // namespace
}  // namespace muir::schema::avro
