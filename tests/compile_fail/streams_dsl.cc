// Mistakes that the DSL must explain in a sentence. One case is compiled at a time: -DMUIR_CASE=n; 0 is right.
#include "streams/dsl.h"

using namespace muir;           // NOLINT: a test program
using namespace muir::streams;  // NOLINT
using namespace std::chrono_literals;

struct Numbers : Processor<std::string, int64_t, std::string, int64_t> {
  Status process(const Record<std::string, int64_t>&) override { return {}; }
};
struct Texts : Processor<std::string, std::string, std::string, std::string> {
  Status process(const Record<std::string, std::string>&) override { return {}; }
};

void mistake(const KStream<std::string, std::string>& stream, const KTable<std::string, int64_t>& table,
             const KTable<int64_t, int64_t>& other) {
#if MUIR_CASE == 0
  stream.filter([](const std::string&) { return true; });
  stream.group_by_key().windowed_by({.size = 5s, .grace = 0s}).count();
  stream.group_by_key().windowed_by({.gap = 5s, .grace = 0s}).count();
#elif MUIR_CASE == 1  // filter needs bool(const V&) or bool(const K&, const V&), or the same with pointers
  stream.filter([](int64_t) { return true; });
#elif MUIR_CASE == 2  // map needs a function that returns std::pair of the new key and the new value
  stream.map([](const std::string& v) { return v; });
#elif MUIR_CASE == 3  // map_values needs a function that returns the new value
  stream.map_values([](const std::string&) {});
#elif MUIR_CASE == \
    4  // join needs V2(const V&, const VT&) or V2(const K&, const V&, const VT&); left_join takes const VT*
  stream.left_join(table, [](const std::string& v, const int64_t&) { return v; });
#elif MUIR_CASE == 5  // aggregate needs A(const V&, const A&) or A(const K&, const V&, const A&)
  stream.group_by_key().aggregate(int64_t{0}, [](const std::string&) { return int64_t{1}; });
#elif MUIR_CASE == 6  // reduce needs V(const V& aggregate, const V& value)
  stream.group_by_key().reduce([](const std::string& v) { return v; });
#elif MUIR_CASE == \
    7  // process needs a supplier of std::unique_ptr<Processor<K, V, KOut, VOut>> for this stream's K and V
  stream.process([] { return std::make_unique<Numbers>(); });
#elif MUIR_CASE == 8   // process_values needs a FixedKeyProcessor<K, V, VOut>
  stream.process_values([] { return std::make_unique<Texts>(); });
#elif MUIR_CASE == 9   // group_by needs K2(const V&) or K2(const K&, const V&), or the same with pointers
  stream.group_by([](int64_t v) { return v; });
#elif MUIR_CASE == 10  // aggregate's function returns another type of number than its initial value
  stream.group_by_key().aggregate(0, [](const std::string&, int64_t sum) { return sum + 1; });
#elif MUIR_CASE == 11  // aggregate's function returns another type of number than its initial value
  stream.group_by_key().aggregate(int64_t{0}, [](const std::string&, double sum) { return sum + 0.5; });
#elif MUIR_CASE == 12  // aggregate needs a function that returns the initial value's type
  stream.group_by_key().aggregate(int64_t{0}, [](const std::string& v, int64_t) { return v; });
#elif MUIR_CASE == 13  // use of deleted function
  (void)Record<std::string, std::string>().with_value(std::string("gone"));
#elif MUIR_CASE == 14  // use of deleted function
  (void)Record<std::string, std::string>().with_headers(std::vector<Header>(1));
#elif MUIR_CASE == 15  // join of tables needs V3(const V&, const V2&) or V3(const K&, const V&, const V2&)
  table.join(table, [](int64_t a) { return a; });
#elif MUIR_CASE == 16  // left_join takes const V2*, outer_join const V* and const V2*
  table.outer_join(table, [](int64_t a, int64_t b) { return a + b; });
#elif MUIR_CASE == 17  // aggregate's function returns nothing and cannot change the aggregate that it is given
  stream.group_by_key().aggregate(int64_t{0}, [](const std::string&, int64_t sum) { sum += 1; });
#elif MUIR_CASE == 18  // reduce's function returns another type of number than the values are
  table.to_stream().group_by_key().reduce([](int64_t a, int64_t b) { return a + 0.5 * b; });
#elif MUIR_CASE == 19  // filter's function must return bool
  stream.filter([](const std::string& v) { return v.find('x'); });
#elif MUIR_CASE == 20  // filter's function must return bool
  table.filter([](const int64_t& v) { return v; });
#elif MUIR_CASE == 21  // branch's function must return bool
  stream.split().branch([](const std::string& v) { return v.c_str(); });
#elif MUIR_CASE == 22  // filter's function must return bool
  stream.filter([](const std::string&) {});
#elif MUIR_CASE == 23  // filter's function must return bool
  table.filter_not([](const int64_t&) {});
#elif MUIR_CASE == 24  // branch's function must return bool
  stream.split().branch([](const std::string&) {});
#elif MUIR_CASE == 25  // aggregate's initial value is a const char*, which cannot be stored: write std::string()
  stream.group_by_key().aggregate("", [](const std::string& v, std::string all) { return all + v; });
#elif MUIR_CASE == 26  // aggregate's initial value is a const char*, which cannot be stored: write std::string()
  stream.group_by_key().windowed_by({.size = 5s, .grace = 0s}).aggregate("", [](const std::string& v, std::string a) {
    return a + v;
  });
#elif MUIR_CASE == 27  // join needs two sides with one type of key
  table.join(other, [](int64_t a, int64_t b) { return a + b; }).to_stream().to("out");
#elif MUIR_CASE == 28  // left_join needs two sides with one type of key
  stream.left_join(other, [](const std::string& v, const int64_t*) { return v; }).to("out");
#elif MUIR_CASE == 29  // outer_join needs two sides with one type of key
  stream.outer_join(
      other.to_stream(), [](const std::string*, const int64_t*) { return 1; }, JoinWindows::of(1s, 0s));
#elif MUIR_CASE == 30  // windowed_by needs windows whose lengths have a unit
  stream.group_by_key().windowed_by(5000).count();
#elif MUIR_CASE == 31  // windowed_by needs windows whose lengths have a unit
  stream.group_by_key().windowed_by({.size = 5000, .grace = 0}).count();
#elif MUIR_CASE == 32  // windowed_by needs windows whose lengths have a unit
  stream.group_by_key().windowed_by({.gap = 5000, .grace = 0}).count();
#elif MUIR_CASE == 33  // windowed_by needs windows whose lengths have a unit
  stream.group_by_key().windowed_by(5min).count();
#elif MUIR_CASE == 34  // process needs a supplier, a function without arguments that returns std::unique_ptr
  stream.process(Texts());
#elif MUIR_CASE == 35  // process needs a supplier, a function without arguments that returns std::unique_ptr
  stream.process([] { return std::make_shared<Texts>(); });
#elif MUIR_CASE == 36  // process needs a supplier, a function without arguments that returns std::unique_ptr
  stream.process_values([] { return std::make_unique<std::string>(); }).to("out");
#elif MUIR_CASE == 37  // process needs a supplier, a function without arguments that returns std::unique_ptr
  stream.process([] { return Texts(); });
#endif
  (void)table;
  (void)other;
}
