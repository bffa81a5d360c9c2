// A filter over records whose schema is known only at start: of "positions", those above a speed go to "fast". Column
// and schema come from the command line; no struct describes the records. Runs in the test driver, without a cluster.
//
//   row_filter [file with an Avro schema]
#include <fmt/core.h>

#include <fstream>
#include <iterator>
#include <string>

#include "serde/row_serde.h"
#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace {

using muir::schema::Row;

constexpr std::string_view kSchema =
    R"({"type":"record","name":"Position","namespace":"fleet","fields":[{"name":"vehicle","type":"string"},)"
    R"({"name":"speed","type":["null","double"],"default":null}]})";

// [topology]
muir::Result<muir::streams::Topology> fast(const muir::schema::RowLayoutPtr& layout, double limit) {
  const muir::SerdeRef<Row> rows = MUIR_TRY(muir::row_serde(layout));
  const int column = layout->column("speed");
  if (column < 0) return muir::error(muir::Code::not_found, "no column speed in {}", layout->schema()->to_string());
  const auto speed = static_cast<size_t>(column);
  muir::streams::StreamsBuilder builder;
  builder.stream<std::string, Row>("positions", {.value = rows})
      .filter([speed, limit](const std::string&, const Row& row) { return row.get<double>(speed) > limit; })
      .to("fast", {.value = rows});
  return builder.build();
}
// [topology]

muir::Status run(const std::string& text) {
  const auto layout = MUIR_TRY(muir::row_layout(text));
  fmt::print("{}\n", layout->schema()->to_string());
  const auto topology = MUIR_TRY(fast(layout, 50));
  muir::MemoryRegistry registry;
  const auto driver = MUIR_TRY(muir::streams::TestDriver::create(topology, {.registry = &registry}));
  auto rows = MUIR_TRY(muir::row_serde(layout));
  auto positions = MUIR_TRY((driver->input<std::string, Row>("positions", muir::string_serde(), rows)));
  auto out = MUIR_TRY((driver->output<std::string, Row>("fast", muir::string_serde(), rows)));
  for (const double speed : {36.5, 0.0, 72.0}) {
    Row row(layout);
    row[static_cast<size_t>(layout->column("speed"))].set(speed);
    MUIR_RETURN_IF_ERROR(positions.pipe("V1", row, 0));
  }
  while (!out.empty()) {
    const auto record = MUIR_TRY(out.read());
    fmt::print("fast: {}\n", to_string(record.value->view()));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::string text(kSchema);
  if (argc > 1) {
    std::ifstream file(argv[1]);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  const muir::Status status = run(text);
  if (!status.ok()) fmt::print("row_filter: {}\n", status.message());
  return status.ok() ? 0 : 1;
}
