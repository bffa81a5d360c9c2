#include "schema/row.h"

#include "schema/decimal.h"
#include "schema/internal/row_memory.h"

namespace muir::schema {
namespace internal {

// Runs double, and the run at the end of the buffer grows in place: items without parts of their own cost one resize.
size_t add_item(Bytes& data, size_t at, const RowShape& shape, size_t expected) {
  constexpr size_t kExpectedBytesMax = 4096;  // more room than that is made when the items are there
  auto run = load_raw<RowRun>(data.data() + at);
  if (run.count == run.room) {
    const size_t room = run.room == 0 ? std::clamp<size_t>(expected, 1, kExpectedBytesMax / (shape.stride + 1) + 1)
                                      : size_t{run.room} * 2;
    const size_t end = run.offset + size_t{run.room} * shape.stride;
    if (run.room > 0 && end == data.size()) {
      const size_t more = (room - run.room) * shape.stride;
      if (!has_room(data, more)) return 0;
      data.resize(end + more);
    } else {
      const size_t moved = add_fixed(data, room * shape.stride);
      if (moved == 0) return 0;
      std::memcpy(data.data() + moved, data.data() + run.offset, size_t{run.count} * shape.stride);
      run.offset = static_cast<uint32_t>(moved);
    }
    run.room = static_cast<uint32_t>(room);
  }
  const size_t item = run.offset + size_t{run.count} * shape.stride;
  ++run.count;
  store_raw(data, at, run);
  return item + shape.slots[0].offset;
}

}  // namespace internal

namespace {

void check_room(bool fits) { CHECK(fits, "a row grows beyond {} bytes", RowLayout::kRowBytesMax); }

}  // namespace

void CellWriter::set_null() {
  if (slot_->shape->storage == Storage::none && slot_->mask == 0) return;
  CHECK(slot_->mask != 0, "null for {}, which is not nullable", slot_->shape->schema->to_string());
  set_presence(*slot_, (*data_)[at_], false);
}

void CellWriter::set_varying(Storage kind, BytesView bytes) {
  expect(kind);
  mark();
  check_room(internal::put_varying(*data_, at_, bytes));
}

void CellWriter::set_decimal(BytesView unscaled) {
  CHECK(!unscaled.empty(), "a decimal without bytes");
  set_varying(Storage::decimal, shortest_decimal(unscaled));
}

RowWriter CellWriter::row() const {
  expect(Storage::structure);
  mark();
  if (!slot_->boxed) return {*slot_->shape, *data_, at_};
  const size_t box = internal::open_box(*data_, at_, *slot_->shape);
  check_room(box != 0);
  return {*slot_->shape, *data_, box};
}

ListWriter CellWriter::list() const {
  CHECK(slot_->shape->storage == Storage::array || slot_->shape->storage == Storage::map,
        "a column of {} is written as a list", to_string(slot_->shape->storage));
  mark();
  internal::store_raw(*data_, at_, internal::RowRun());
  return {*slot_->shape, *data_, at_};
}

ListWriter CellWriter::map() const {
  expect(Storage::map);
  return list();
}

CellWriter CellWriter::choose(int32_t branch) const {
  expect(Storage::choice);
  const RowShape& shape = *slot_->shape;
  CHECK(branch >= 0 && static_cast<size_t>(branch) < shape.slots.size(), "branch {} of {}", branch, shape.slots.size());
  mark();
  const size_t box = internal::open_branch(*data_, at_, shape, branch);
  check_room(box != 0);
  return {shape.slots[static_cast<size_t>(branch)], *data_, box};
}

void CellWriter::assign(CellView from) const {
  CellWriter to = *this;
  const Storage storage = slot_->shape->storage;
  CHECK(from.slot().shape->storage == storage, "{} is assigned to {}", to_string(from.slot().shape->storage),
        to_string(storage));
  if (from.is_null()) return to.set_null();
  switch (storage) {
    case Storage::none: return;
    case Storage::boolean: return to.set(from.get<bool>());
    case Storage::int8: return to.set(from.get<int8_t>());
    case Storage::int16: return to.set(from.get<int16_t>());
    case Storage::int32: return to.set(from.get<int32_t>());
    case Storage::int64: return to.set(from.get<int64_t>());
    case Storage::float32: return to.set(from.get<float>());
    case Storage::float64: return to.set(from.get<double>());
    case Storage::uuid: return to.set(from.get<Uuid>());
    case Storage::text: return to.set(from.text());
    case Storage::bytes: return to.set_bytes(from.bytes());
    case Storage::decimal: return to.set_decimal(from.decimal());
    case Storage::structure: {
      const RowView source = from.row();
      const RowWriter target = row();
      CHECK(source.size() == target.size(), "{} columns are assigned to {}", source.size(), target.size());
      for (size_t i = 0; i < source.size(); ++i) target[i].assign(source[i]);
      return;
    }
    case Storage::array:
    case Storage::map: {
      const ListView source = from.list();
      const ListWriter target = list();
      for (size_t i = 0; i < source.size(); ++i) target.append().assign(source[i]);
      return;
    }
    case Storage::choice: return choose(from.branch()).assign(from.held());
  }
}

CellWriter ListWriter::append() const {
  const size_t item = internal::add_item(*data_, at_, *shape_, 1);
  check_room(item != 0);
  return {shape_->slots[0], *data_, item};
}

Row Row::of(RowView view) {
  Row out;
  out.layout_ = view.shape().layout->shared_from_this();
  out.shape_ = &view.shape();
  out.reset();
  for (size_t i = 0; i < view.size(); ++i) out[i].assign(view[i]);
  return out;
}

bool Row::operator==(const Row& other) const {
  if (empty() || other.empty()) return empty() == other.empty();
  if (shape_ != other.shape_ && shape_->schema->fields() != other.shape_->schema->fields()) return false;
  return compare(view(), other.view()) == 0;
}

}  // namespace muir::schema
