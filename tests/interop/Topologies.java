// Topologies on the JVM's own TopologyTestDriver; topologies_test.cc has the same for Muir.
//
//   java -cp 'build/kafka/libs/*' tests/interop/Topologies.java RECORDS
//
// RECORDS has a line "topic<TAB>key<TAB>value<TAB>timestamp" for each record, "~" for null. Prints for each topology "== name", its
// describe(), what it wrote to "out" in the same form, and what it wrote to its internal topics as "topic<TAB>key<TAB>value<TAB>timestamp" in hex.
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.*;
import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.maxBytes;
import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.maxRecords;
import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.unbounded;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.query.MultiVersionedKeyQuery;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedBytesStoreSupplier;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.VersionedRecordIterator;
import org.apache.kafka.streams.test.TestRecord;

public class Topologies {
    static final Map<String, Consumer<StreamsBuilder>> ALL = new LinkedHashMap<>();
    static KTable<String, String> table(StreamsBuilder b) { return b.table("tab"); }
    static KTable<String, String> stored(StreamsBuilder b) {
        return b.table("tab", Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("rows"));
    }
    static KStream<String, String> stream(StreamsBuilder b) { return b.stream("in"); }
    // Behind windows a buffer takes the keys' serde from here, not from the configuration.
    static Grouped<String, String> strings() { return Grouped.with(Serdes.String(), Serdes.String()); }
    static void out(KTable<String, String> table) { table.toStream().to("out"); }
    static boolean isA(String key, String value) { return value.startsWith("a"); }
    static boolean isShort(String key, String value) { return value.length() < 3; }
    static KeyValue<String, String> initial(String key, String value) { return KeyValue.pair(value.substring(0, 1), value); }
    static String text(Long count) { return Long.toString(count); }
    static String join(String left, String right) { return left + "/" + right; }
    static String joinNull(String left, String right) { return left + "+" + (right == null ? "0" : right); }
    static String joinAny(String left, String right) { return (left == null ? "0" : left) + "|" + (right == null ? "0" : right); }
    static String foreignKey(String value) { return value.substring(0, 1); }
    static String someForeignKey(String key, String value) { return value.startsWith("b") ? null : value.substring(0, 1); }
    static KTable<String, String> other(StreamsBuilder b) { return b.table("in"); }
    static KStream<String, String> otherStream(StreamsBuilder b) { return b.stream("tab"); }
    static JoinWindows windows(long beforeMs, long afterMs, long graceMs) {
        return JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(Math.max(beforeMs, afterMs)), Duration.ofMillis(graceMs))
            .before(Duration.ofMillis(beforeMs)).after(Duration.ofMillis(afterMs));
    }
    static JoinWindows near() { return windows(2000, 2000, 1000); }
    static StreamJoined<String, String, String> named(String name) {
        return StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String()).withName(name);
    }
    static SessionWindows sessions() { return SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(1), Duration.ofSeconds(2)); }
    static <V> KStream<String, V> unsessioned(KTable<Windowed<String>, V> table) {
        return table.toStream((key, value) -> key.key() + "@" + key.window().start() + "-" + key.window().end());
    }
    static SlidingWindows sliding(long seconds, long grace) {
        return SlidingWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(seconds), Duration.ofSeconds(grace));
    }
    static String addLeft(String key, String value, String all) { return all + "L" + (value == null ? "0" : value); }
    static String addRight(String key, String value, String all) { return all + "R" + (value == null ? "0" : value); }
    static CogroupedKStream<String, String> bothGroups(StreamsBuilder b) {
        KGroupedStream<String, String> left = stream(b).groupByKey();
        return left.<String>cogroup(Topologies::addLeft).cogroup(otherStream(b).groupByKey(), Topologies::addRight);
    }
    static TimeWindows windows() { return TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5)); }
    static <V> KStream<String, V> unwindowed(KTable<Windowed<String>, V> table) {
        return table.toStream((key, value) -> key.key() + "@" + key.window().start());
    }

    static VersionedBytesStoreSupplier history(String name, long seconds) {
        return Stores.persistentVersionedKeyValueStore(name, Duration.ofSeconds(seconds));
    }
    static Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept(String name) { return Materialized.as(history(name, 12)); }
    static KTable<String, String> versioned(StreamsBuilder b) { return b.table("tab", kept("rows")); }
    static KTable<String, String> otherVersioned(StreamsBuilder b) { return b.table("in", kept("other-rows")); }
    static KStream<String, String> keyed(StreamsBuilder b) { return stream(b).filter((k, v) -> k != null); }
    static Joined<String, String, String> grace(long seconds) {
        return Joined.<String, String, String>keySerde(null).withGracePeriod(Duration.ofSeconds(seconds));
    }
    static String version(VersionedRecord<String> record) {
        return record == null ? "-" : record.value() + "@" + record.timestamp() + record.validTo().map(to -> "-" + to).orElse("");
    }
    // Tells what a store with versions answers: to puts, to deletions of what begins with "b", to look-ups.
    static class Historian implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;
        private VersionedKeyValueStore<String, String> store;
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
            store = context.getStateStore("versions");
        }
        public void process(Record<String, String> record) {
            if (record.key() == null) return;
            String key = record.key();
            long time = record.timestamp();
            boolean deletes = record.value() != null && record.value().startsWith("b");
            StringBuilder said = new StringBuilder(deletes ? "deleted " + version(store.delete(key, time)) : "put " + store.put(key, record.value(), time));
            said.append(" latest ").append(version(store.get(key))).append(" then ").append(version(store.get(key, time - 3000)));
            said.append(" since");
            MultiVersionedKeyQuery<String, String> query =
                MultiVersionedKeyQuery.<String, String>withKey(key).fromTime(Instant.ofEpochMilli(time - 5000)).withAscendingTimestamps();
            try (VersionedRecordIterator<String> all = store.query(query, PositionBound.unbounded(), new QueryConfig(false)).getResult()) {
                while (all.hasNext()) said.append(" ").append(version(all.next()));
            }
            context.forward(record.withValue(said.toString()));
        }
    }
    static KStream<String, String> told(StreamsBuilder b, long seconds) {
        b.addStateStore(Stores.versionedKeyValueStoreBuilder(history("versions", seconds), Serdes.String(), Serdes.String()));
        return stream(b).process(Historian::new, "versions");
    }

    static {
        ALL.put("a versioned table", b -> out(versioned(b)));
        ALL.put("a versioned table that soon forgets", b -> out(b.table("tab", Materialized.as(history("rows", 8)))));
        ALL.put("a store with versions", b -> told(b, 12).to("out"));
        ALL.put("a store with versions that soon forgets", b -> told(b, 8).to("out"));
        ALL.put("a store with versions in one segment", b -> told(b, 120).to("out"));
        ALL.put("filter of a versioned table", b -> out(versioned(b).filter(Topologies::isA)));
        ALL.put("filter of a versioned table, then a group", b -> {
            KTable<String, String> kept = versioned(b).filter(Topologies::isA);
            kept.toStream().to("out");
            kept.groupBy(Topologies::initial).count().mapValues(Topologies::text).toStream().to("out");
        });
        ALL.put("filters and mapped values of a versioned table with stores", b -> {
            KTable<String, String> rows = versioned(b);
            KTable<String, String> plain = rows.filter(Topologies::isA, Materialized.as("plain"));
            out(plain);
            KTable<String, String> mapped = rows.mapValues(v -> v + "m", kept("mapped"));
            out(mapped.filterNot(Topologies::isShort, kept("long-ones")));
            stream(b).leftJoin(mapped, Topologies::joinNull).to("out");
            stream(b).leftJoin(plain, Topologies::joinNull).to("out");
            mapped.groupBy(Topologies::initial).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v).toStream().to("out");
            plain.groupBy(Topologies::initial).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v).toStream().to("out");
        });
        ALL.put("versioned rows of a table that is none", b -> {
            KTable<String, String> late = table(b).filter(Topologies::isA, kept("kept"));
            out(late);
            stream(b).leftJoin(late.mapValues(v -> v + "m"), Topologies::joinNull).to("out");
        });
        ALL.put("group of a versioned table", b ->
            out(versioned(b).groupBy(Topologies::initial).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v)));
        ALL.put("versioned aggregates", b -> {
            KTable<String, Long> counts = stream(b).groupByKey().count(Materialized.as(history("counts", 12)));
            KTable<String, String> all = stream(b).groupByKey().reduce((one, v) -> v, kept("all"));
            out(all);
            stream(b).leftJoin(counts.mapValues(Topologies::text), Topologies::joinNull).to("out");
            out(versioned(b).groupBy(Topologies::initial).reduce((one, v) -> one + "+" + v, (one, v) -> one + "-" + v, kept("groups")));
        });
        ALL.put("versioned toTable", b -> {
            KTable<String, String> latest = stream(b).toTable(kept("latest"));
            out(latest);
            otherStream(b).join(latest, Topologies::join).to("out");
        });
        ALL.put("versioned tables", b -> {
            KTable<String, String> left = versioned(b);
            KTable<String, String> right = otherVersioned(b);
            out(left.join(right, Topologies::join));
            out(left.leftJoin(right, Topologies::joinNull));
            out(left.outerJoin(right, Topologies::joinAny));
            out(left.filter(Topologies::isA).outerJoin(right.mapValues(v -> v + "m"), Topologies::joinAny));
        });
        ALL.put("a versioned table and one that is none", b -> {
            KTable<String, String> left = versioned(b);
            KTable<String, String> right = other(b);
            out(left.join(right, Topologies::join));
            out(right.leftJoin(left, Topologies::joinNull));
            out(right.outerJoin(left, Topologies::joinAny));
        });
        ALL.put("joined tables with a versioned store", b -> {
            KTable<String, String> left = versioned(b);
            KStream<String, String> records = stream(b);
            KTable<String, String> right = records.toTable(kept("other-rows"));
            KTable<String, String> both = left.outerJoin(right, Topologies::joinAny, kept("both"));
            out(both);
            records.leftJoin(both, Topologies::joinNull).to("out");
            records.leftJoin(left.join(right, Topologies::join), Topologies::joinNull).to("out");
        });
        ALL.put("by a foreign key of versioned tables", b -> {
            KTable<String, String> left = versioned(b);
            KTable<String, String> right = otherVersioned(b);
            out(left.join(right, Topologies::foreignKey, Topologies::join));
        });
        ALL.put("by a foreign key of versioned tables into one", b -> {
            KTable<String, String> left = versioned(b);
            out(left.leftJoin(otherVersioned(b), Topologies::foreignKey, Topologies::joinNull, kept("joined")));
        });
        ALL.put("by a foreign key of one versioned table", b -> {
            KTable<String, String> left = versioned(b);
            KTable<String, String> right = other(b);
            out(left.join(right, Topologies::foreignKey, Topologies::join));
        });
        ALL.put("by a foreign key into a versioned table", b -> {
            KTable<String, String> left = table(b);
            out(left.leftJoin(otherVersioned(b), Topologies::foreignKey, Topologies::joinNull));
        });
        ALL.put("join with a versioned table", b -> {
            KTable<String, String> rows = versioned(b);
            stream(b).join(rows, Topologies::join).to("out");
            stream(b).leftJoin(rows.filter(Topologies::isA).mapValues(v -> v + "m"), Topologies::joinNull).to("out");
        });
        ALL.put("join with grace", b -> stream(b).join(versioned(b), Topologies::join, grace(5)).to("out"));
        ALL.put("join with a short grace", b -> stream(b).join(versioned(b), Topologies::join, grace(1)).to("out"));
        ALL.put("join without any grace", b -> stream(b).join(versioned(b), Topologies::join, grace(0)).to("out"));
        ALL.put("left join with grace", b -> {
            KTable<String, String> rows = versioned(b);
            keyed(b).leftJoin(rows, Topologies::joinNull, grace(12)).to("out");
        });
        ALL.put("join with grace and a name", b -> stream(b).join(versioned(b), Topologies::join, grace(5).withName("patient")).to("out"));
        ALL.put("join with grace behind a repartition", b -> stream(b).filter((k, v) -> v != null).selectKey((k, v) -> v.substring(0, 1))
            .join(versioned(b).mapValues(v -> v + "m").filter(Topologies::isA), Topologies::join, grace(5)).to("out"));
        ALL.put("joins with grace behind each other", b -> {
            KTable<String, String> rows = versioned(b);
            stream(b).join(rows, Topologies::join, grace(5)).join(rows, Topologies::join, grace(2)).to("out");
        });
        ALL.put("filter of a table", b -> out(table(b).filter(Topologies::isA)));
        ALL.put("filter of a table with a store", b -> out(stored(b).filter(Topologies::isA)));
        ALL.put("filters and mapped values with stores", b -> {
            KTable<String, String> rows = table(b);
            KTable<String, String> kept = rows.filter(Topologies::isA, Materialized.as("kept"));
            out(kept);
            KTable<String, String> mapped = kept.mapValues(v -> v + "m", Materialized.as("mapped"));
            out(mapped.filterNot(Topologies::isShort, Named.as("long"), Materialized.as("long-ones")));
            stream(b).leftJoin(mapped, Topologies::joinNull).to("out");
            mapped.groupBy(Topologies::initial).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v).toStream().to("out");
        });
        ALL.put("filters behind each other", b -> out(stored(b).filter(Topologies::isA).filterNot(Topologies::isShort)));
        ALL.put("filter behind mapped values", b -> out(stored(b).mapValues(v -> v + v.length()).filter(Topologies::isA)));
        ALL.put("filter behind mapped values without a store", b -> out(table(b).mapValues(v -> v + "x").filter(Topologies::isA)));
        ALL.put("filter of a count", b -> out(stream(b).groupByKey().count().filter((k, n) -> n % 3 == 0).mapValues(Topologies::text)));
        ALL.put("filter of a windowed count", b ->
            unwindowed(stream(b).groupByKey().windowedBy(windows()).count().filter((k, n) -> n % 2 == 0).mapValues(Topologies::text)).to("out"));
        ALL.put("filter, then a group", b -> {
            KTable<String, String> kept = table(b).filter(Topologies::isA);
            kept.toStream().to("out");
            kept.groupBy(Topologies::initial).count().mapValues(Topologies::text).toStream().to("out");
        });
        ALL.put("a group, then a filter beside it", b -> {
            KTable<String, String> rows = table(b);
            rows.groupBy(Topologies::initial).count().toStream().mapValues(Topologies::text).to("out");
            rows.filter(Topologies::isA).toStream().to("out");
        });
        ALL.put("a filter beside a group", b -> {
            KTable<String, String> rows = table(b);
            rows.filter(Topologies::isA).toStream().to("out");
            rows.groupBy(Topologies::initial).count().toStream().mapValues(Topologies::text).to("out");
        });
        ALL.put("filter of toTable", b -> out(stream(b).toTable().filter(Topologies::isA)));
        ALL.put("filter of a table of a stream with a store", b ->
            out(stream(b).toTable(Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("latest")).filter(Topologies::isA)));
        ALL.put("join with a filtered table", b ->
            stream(b).join(table(b).filter(Topologies::isA), Topologies::join).to("out"));
        ALL.put("join with a filtered table that is also written", b -> {
            KTable<String, String> kept = table(b).filter(Topologies::isA);
            stream(b).leftJoin(kept, Topologies::joinNull).to("out");
            out(kept);
        });
        ALL.put("join, table first", b -> {
            KTable<String, String> rows = table(b);
            stream(b).join(rows, Topologies::join).to("out");
        });
        ALL.put("join, stream first", b -> {
            KStream<String, String> records = stream(b);
            records.join(table(b), Topologies::join).to("out");
        });
        ALL.put("joins of one stream", b -> {
            KTable<String, String> rows = table(b);
            KStream<String, String> records = stream(b);
            records.leftJoin(rows, Topologies::joinNull).to("out");
            records.filter((k, v) -> v != null && isA(k, v)).join(rows, Topologies::join).mapValues(v -> v + "!").to("out");
            records.filter((k, v) -> v != null).selectKey((k, v) -> v.substring(0, 1)).join(rows, Topologies::join).to("out");
        });
        ALL.put("join behind an aggregate", b -> {
            KTable<String, String> counts = stream(b).groupByKey().count().mapValues(Topologies::text);
            stream(b).join(counts, Topologies::join).to("out");
        });
        ALL.put("join with a name", b -> stream(b).filter((k, v) -> k != null && v != null).selectKey((k, v) -> k)
            .join(table(b), Topologies::join, Joined.as("with-rows")).to("out"));
        ALL.put("tables", b -> { var left = table(b); out(left.join(other(b), Topologies::join)); });
        ALL.put("tables, left", b -> { var left = table(b); out(left.leftJoin(other(b), Topologies::joinNull)); });
        ALL.put("tables, outer", b -> { var left = table(b); out(left.outerJoin(other(b), Topologies::joinAny)); });
        ALL.put("tables with a store", b -> {
            KTable<String, String> left = table(b);
            KTable<String, String> right = other(b);
            out(left.join(right, Topologies::join, Materialized.as("inner")));
            out(left.leftJoin(right, Topologies::joinNull, Materialized.as("left")));
            out(left.outerJoin(right, Topologies::joinAny, Materialized.as("outer")));
        });
        ALL.put("tables with names", b -> {
            KTable<String, String> left = table(b);
            KTable<String, String> right = other(b);
            out(left.join(right, Topologies::join, Named.as("both")));
            out(left.outerJoin(right, Topologies::joinAny, Named.as("any"), Materialized.as("any-rows")));
        });
        ALL.put("filtered and mapped tables", b -> {
            KTable<String, String> left = table(b).filter(Topologies::isA);
            KTable<String, String> right = other(b).mapValues(v -> v + "m");
            out(left.join(right, Topologies::join));
            out(left.leftJoin(right, Topologies::joinNull));
            out(right.outerJoin(left, Topologies::joinAny));
        });
        ALL.put("filter of joined tables", b -> {
            var left = table(b);
            out(left.outerJoin(other(b), Topologies::joinAny).filter(Topologies::isA));
        });
        ALL.put("filter of joined tables with a store", b -> {
            var left = table(b);
            KTable<String, String> joined = left.leftJoin(other(b), Topologies::joinNull, Materialized.as("joined"));
            out(joined.filter(Topologies::isA));
        });
        ALL.put("group of joined tables", b -> {
            var left = table(b);
            out(left.join(other(b), Topologies::join).groupBy(Topologies::initial)
                .reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v));
        });
        ALL.put("group of joined tables with a store", b -> {
            var left = table(b);
            KTable<String, String> joined = left.outerJoin(other(b), Topologies::joinAny, Materialized.as("joined"));
            out(joined.groupBy(Topologies::initial).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v));
        });
        ALL.put("joined tables joined again", b -> {
            KTable<String, String> left = table(b);
            KTable<String, String> right = other(b);
            KTable<String, String> both = left.outerJoin(right, Topologies::joinAny);
            out(both.leftJoin(left.filter(Topologies::isA), Topologies::joinNull));
            out(right.join(both, Topologies::join));
        });
        ALL.put("stream with joined tables", b -> {
            KTable<String, String> left = stored(b);
            KTable<String, String> counts = stream(b).groupByKey().count().mapValues(Topologies::text);
            KTable<String, String> both = left.outerJoin(counts, Topologies::joinAny);
            stream(b).filter((k, v) -> v != null).leftJoin(both, Topologies::joinNull).to("out");
        });
        ALL.put("windowed tables", b -> {
            var counts = stream(b).groupByKey().windowedBy(windows()).count().mapValues(Topologies::text);
            var all = b.<String, String>stream("tab").groupByKey().windowedBy(windows()).reduce(Topologies::joinNull);
            unwindowed(counts.join(all, Topologies::join)).to("out");
            unwindowed(counts.leftJoin(all, Topologies::joinNull)).to("out");
            unwindowed(counts.outerJoin(all, Topologies::joinAny)).to("out");
        });
        ALL.put("by a foreign key", b -> { var left = table(b); out(left.join(other(b), Topologies::foreignKey, Topologies::join)); });
        ALL.put("by a foreign key, left", b -> {
            var left = table(b);
            out(left.leftJoin(other(b), Topologies::foreignKey, Topologies::joinNull));
        });
        ALL.put("by a foreign key that may be missing", b -> {
            var left = table(b);
            out(left.join(other(b), Topologies::someForeignKey, Topologies::join));
        });
        ALL.put("by a foreign key that may be missing, left", b -> {
            var left = table(b);
            out(left.leftJoin(other(b), Topologies::someForeignKey, Topologies::joinNull));
        });
        ALL.put("by a foreign key, with names", b -> {
            var left = table(b);
            KTable<String, String> right = other(b);
            out(left.join(right, Topologies::foreignKey, Topologies::join, TableJoined.as("by-initial"), Materialized.as("joined")));
        });
        ALL.put("by a foreign key, left, with a name", b -> {
            var left = table(b);
            out(left.leftJoin(other(b), Topologies::foreignKey, Topologies::joinNull, TableJoined.as("all")));
        });
        ALL.put("by a foreign key of mapped and filtered tables", b -> {
            KTable<String, String> left = stored(b).mapValues(v -> v + "m").filterNot(Topologies::isShort);
            KTable<String, String> right = other(b).filter(Topologies::isA);
            out(left.join(right, Topologies::foreignKey, Topologies::join));
        });
        ALL.put("group of a join by a foreign key", b -> {
            var left = table(b);
            out(left.leftJoin(other(b), Topologies::foreignKey, Topologies::joinNull).groupBy(Topologies::initial)
                .reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v));
        });
        ALL.put("join behind a join by a foreign key", b -> {
            KTable<String, String> left = table(b);
            KTable<String, String> counts = stream(b).groupByKey().count().mapValues(Topologies::text);
            out(left.join(counts, Topologies::foreignKey, Topologies::join).leftJoin(left, Topologies::joinNull));
        });
        ALL.put("streams", b -> { var left = stream(b); left.join(otherStream(b), Topologies::join, near()).to("out"); });
        ALL.put("streams, left", b -> { var left = stream(b); left.leftJoin(otherStream(b), Topologies::joinNull, near()).to("out"); });
        ALL.put("streams, outer", b -> { var left = stream(b); left.outerJoin(otherStream(b), Topologies::joinAny, near()).to("out"); });
        ALL.put("streams, one before the other", b -> {
            KStream<String, String> left = stream(b);
            KStream<String, String> right = otherStream(b);
            left.join(right, Topologies::join, windows(0, 3000, 0)).to("out");
            left.leftJoin(right, Topologies::joinNull, windows(3000, 0, 5000)).to("out");
            left.outerJoin(right, Topologies::joinAny, windows(100, 4000, 2000)).to("out");
            left.outerJoin(right, Topologies::joinAny, windows(-1000, 4000, 2000)).to("out");
        });
        ALL.put("streams with names", b -> {
            KStream<String, String> left = stream(b);
            KStream<String, String> right = otherStream(b);
            left.join(right, Topologies::join, near(), named("near")).to("out");
            left.leftJoin(right, Topologies::joinNull, near(), StreamJoined.as("kept")).to("out");
            left.outerJoin(right, Topologies::joinAny, near(), StreamJoined.<String, String, String>as("all").withName("any")).to("out");
        });
        ALL.put("streams whose keys changed", b -> {
            KStream<String, String> left = stream(b).filter((k, v) -> v != null).selectKey((k, v) -> v.substring(0, 1));
            KStream<String, String> right = otherStream(b).filter((k, v) -> v != null).selectKey((k, v) -> v.substring(0, 1));
            left.join(right, Topologies::join, near()).to("out");
            left.leftJoin(stream(b), Topologies::joinNull, near(), named("left")).to("out");
            stream(b).outerJoin(right, Topologies::joinAny, near(), named("right")).to("out");
        });
        ALL.put("stream with itself", b -> { var left = stream(b); left.join(left, Topologies::join, near()).to("out"); });
        ALL.put("streams, then an aggregate", b -> {
            var left = stream(b);
            left.leftJoin(otherStream(b), Topologies::joinNull, near()).groupByKey().count().toStream().mapValues(Topologies::text).to("out");
        });
        ALL.put("reduce", b -> out(stream(b).groupByKey().reduce(Topologies::joinNull)));
        ALL.put("reduce in windows", b ->
            unwindowed(stream(b).groupByKey().windowedBy(windows()).reduce(Topologies::joinNull)).to("out"));
        ALL.put("aggregate", b -> out(stream(b).groupByKey().aggregate(() -> "", (k, v, all) -> all + v)));
        ALL.put("aggregate in windows", b -> unwindowed(stream(b).groupByKey().windowedBy(windows())
            .aggregate(() -> "", (k, v, all) -> all + (v == null ? "0" : v))).to("out"));
        ALL.put("aggregate in one window without end", b -> unwindowed(stream(b).groupByKey()
            .windowedBy(UnlimitedWindows.of().startOn(java.time.Instant.ofEpochMilli(1_700_000_050_000L)))
            .reduce(Topologies::joinNull)).to("out"));
        ALL.put("count in windows", b ->
            unwindowed(stream(b).groupByKey().windowedBy(windows()).count()).mapValues(Topologies::text).to("out"));
        ALL.put("groups with a name", b -> {
            KGroupedStream<String, String> group = stream(b).filter((k, v) -> v != null)
                .groupBy((k, v) -> v.substring(0, 1), Grouped.as("by-initial"));
            group.count().toStream().mapValues(Topologies::text).to("out");
            out(group.reduce(Topologies::join));
        });
        ALL.put("groups by key with a name", b -> {
            out(stream(b).groupByKey(Grouped.as("unused")).reduce(Topologies::join));
            out(stream(b).filter((k, v) -> v != null).selectKey((k, v) -> v).groupByKey(Grouped.as("by-value")).reduce(Topologies::join));
        });
        ALL.put("groups without a name", b -> {
            KGroupedStream<String, String> group = stream(b).filter((k, v) -> v != null).groupBy((k, v) -> v.substring(0, 1));
            group.count().toStream().mapValues(Topologies::text).to("out");
            out(group.reduce(Topologies::join));
        });
        ALL.put("group of a table with a name", b -> out(table(b).groupBy(Topologies::initial, Grouped.as("by-initial"))
            .reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v)));
        ALL.put("group of a table", b -> out(stored(b).groupBy(Topologies::initial)
            .aggregate(() -> "", (k, v, all) -> all + "+" + v, (k, v, all) -> all + "-" + v)));
        ALL.put("group of a filtered count", b -> out(stream(b).groupByKey().count().filter((k, n) -> n % 2 == 0)
            .groupBy((k, n) -> KeyValue.pair("all", Long.toString(n))).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v)));
        ALL.put("group of mapped values", b -> out(table(b).mapValues(v -> v + "m").groupBy(Topologies::initial).count()
            .mapValues(Topologies::text)));
        ALL.put("count in sessions", b ->
            unsessioned(stream(b).groupByKey().windowedBy(sessions()).count().mapValues(Topologies::text)).to("out"));
        ALL.put("count in sessions with a store", b -> unsessioned(stream(b).groupByKey().windowedBy(sessions())
            .count(Named.as("counted"), Materialized.as("counts")).mapValues(Topologies::text)).to("out"));
        ALL.put("reduce in sessions", b -> unsessioned(stream(b).filter((k, v) -> v != null).groupByKey().windowedBy(sessions())
            .reduce((all, v) -> all + "+" + v)).to("out"));
        ALL.put("aggregate in sessions", b -> unsessioned(stream(b).groupByKey().windowedBy(sessions())
            .aggregate(() -> "<", (k, v, all) -> all + (v == null ? "0" : v), (k, a, o) -> a + "|" + o)).to("out"));
        ALL.put("sessions of what was repartitioned", b -> unsessioned(stream(b).filter((k, v) -> v != null)
            .groupBy((k, v) -> v.substring(0, 1)).windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(300), Duration.ZERO))
            .count().mapValues(Topologies::text)).to("out"));
        ALL.put("filter of sessions", b -> unsessioned(stream(b).groupByKey().windowedBy(sessions()).count()
            .filter((k, n) -> n % 2 == 0).mapValues(Topologies::text)).to("out"));
        ALL.put("group of sessions", b -> out(stream(b).groupByKey().windowedBy(sessions()).count()
            .groupBy((k, n) -> KeyValue.pair(k.key(), Long.toString(n))).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v)));
        ALL.put("sessions joined", b -> {
            var counts = stream(b).groupByKey().windowedBy(sessions()).count().mapValues(Topologies::text);
            var all = otherStream(b).filter((k, v) -> v != null).groupByKey().windowedBy(sessions()).reduce((a, v) -> a + "+" + v);
            unsessioned(counts.outerJoin(all, Topologies::joinAny)).to("out");
        });
        ALL.put("count in sliding windows", b ->
            unwindowed(stream(b).groupByKey().windowedBy(sliding(2, 3)).count()).mapValues(Topologies::text).to("out"));
        ALL.put("reduce in sliding windows", b ->
            unwindowed(stream(b).groupByKey().windowedBy(sliding(2, 3)).reduce((all, v) -> all + "+" + v)).to("out"));
        ALL.put("aggregate in sliding windows with a store", b -> unwindowed(stream(b).groupByKey().windowedBy(sliding(2, 3))
            .aggregate(() -> "<", (k, v, all) -> all + v, Named.as("all"), Materialized.as("kept"))).to("out"));
        ALL.put("sliding windows longer than time", b -> unwindowed(stream(b).groupByKey().windowedBy(sliding(600_000L * 3600, 0))
            .reduce((all, v) -> all + "+" + v)).to("out"));
        ALL.put("sliding windows that are told when they close", b -> unwindowed(stream(b).groupByKey().windowedBy(sliding(2, 1))
            .emitStrategy(EmitStrategy.onWindowClose()).reduce((all, v) -> all + "+" + v)).to("out"));
        ALL.put("filter of sliding windows", b -> unwindowed(stream(b).groupByKey().windowedBy(sliding(2, 3)).count()
            .filter((k, n) -> n % 2 == 0).mapValues(Topologies::text)).to("out"));
        ALL.put("sliding windows held until they close", b -> unwindowed(stream(b).groupByKey(strings()).windowedBy(sliding(2, 3)).count()
            .suppress(Suppressed.untilWindowCloses(unbounded())).mapValues(Topologies::text)).to("out"));
        ALL.put("group of sliding windows", b -> out(stream(b).groupByKey().windowedBy(sliding(2, 3)).count()
            .groupBy((k, n) -> KeyValue.pair(k.key(), Long.toString(n))).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v)));
        ALL.put("cogroup", b -> out(bothGroups(b).aggregate(() -> "<")));
        ALL.put("cogroup of one", b -> out(stream(b).groupByKey().<String>cogroup(Topologies::addLeft).aggregate(() -> "")));
        ALL.put("cogroup with names", b ->
            out(bothGroups(b).aggregate(() -> "", Named.as("both"), Materialized.as("kept")).filter(Topologies::isA)));
        ALL.put("cogroup of what was repartitioned", b -> {
            KGroupedStream<String, String> left = stream(b).filter((k, v) -> v != null).groupBy((k, v) -> v.substring(0, 1));
            out(left.<String>cogroup(Topologies::addLeft).cogroup(otherStream(b).filter((k, v) -> v != null)
                .groupBy((k, v) -> v.substring(0, 1), Grouped.as("by-initial")), Topologies::addRight).aggregate(() -> ""));
        });
        ALL.put("cogroup in windows", b -> unwindowed(bothGroups(b).windowedBy(windows()).aggregate(() -> "")).to("out"));
        ALL.put("cogroup in sliding windows", b ->
            unwindowed(bothGroups(b).windowedBy(sliding(2, 3)).aggregate(() -> "", Named.as("slid"))).to("out"));
        ALL.put("cogroup in sessions", b ->
            unsessioned(bothGroups(b).windowedBy(sessions()).aggregate(() -> "<", (k, a, o) -> a + "|" + o)).to("out"));
        ALL.put("group and join of a cogroup", b -> {
            KTable<String, String> all = bothGroups(b).aggregate(() -> "<");
            stream(b).filter((k, v) -> v != null).leftJoin(all, Topologies::joinNull).to("out");
            out(all.groupBy(Topologies::initial).reduce((one, v) -> one + "+" + v, (one, v) -> one + "-" + v));
        });
        ALL.put("held for a time", b -> {
            KTable<String, String> rows = table(b);
            out(rows.suppress(Suppressed.untilTimeLimit(Duration.ofSeconds(2), unbounded())));
            out(rows.filter(Topologies::isA).suppress(Suppressed.untilTimeLimit(Duration.ZERO, unbounded())));
        });
        ALL.put("held while there is room", b -> {
            KTable<String, Long> counts = stream(b).groupByKey().count();
            out(counts.suppress(Suppressed.untilTimeLimit(Duration.ofSeconds(20), maxRecords(1))).mapValues(Topologies::text));
            out(table(b).suppress(Suppressed.untilTimeLimit(Duration.ofMinutes(1), maxBytes(150).emitEarlyWhenFull())));
        });
        ALL.put("held until windows close", b -> unwindowed(stream(b).groupByKey(strings()).windowedBy(windows()).count()
            .suppress(Suppressed.untilWindowCloses(unbounded())).mapValues(Topologies::text)).to("out"));
        ALL.put("held under a name until mapped windows close", b -> unwindowed(stream(b).groupByKey(strings()).windowedBy(windows())
            .reduce(Topologies::joinNull).filter((k, v) -> v.startsWith("a")).mapValues(v -> v + "m")
            .suppress(Suppressed.untilWindowCloses(maxRecords(1000).shutDownWhenFull()).withName("held"))).to("out"));
        ALL.put("held until sessions close", b -> unsessioned(stream(b).groupByKey(strings()).windowedBy(sessions()).count()
            .suppress(Suppressed.untilWindowCloses(unbounded())).mapValues(Topologies::text)).to("out"));
        ALL.put("held without a changelog", b ->
            out(stored(b).suppress(Suppressed.untilTimeLimit(Duration.ofSeconds(3), unbounded().withLoggingDisabled()))));
        ALL.put("group of what was held", b -> out(table(b).suppress(Suppressed.untilTimeLimit(Duration.ofSeconds(3), unbounded()))
            .groupBy(Topologies::initial).reduce((all, v) -> all + "+" + v, (all, v) -> all + "-" + v)));
        ALL.put("filter of what was held", b ->
            out(table(b).suppress(Suppressed.untilTimeLimit(Duration.ofSeconds(3), unbounded())).filter(Topologies::isA)));
        ALL.put("joined with what was held", b -> {
            KTable<String, String> held = table(b).suppress(Suppressed.untilTimeLimit(Duration.ofSeconds(3), unbounded()));
            stream(b).leftJoin(held, Topologies::joinNull).to("out");
            out(held.leftJoin(stream(b).groupByKey().count().mapValues(Topologies::text), Topologies::joinNull));
        });
        ALL.put("operators with names", b -> stream(b).filter((k, v) -> v != null, Named.as("keep"))
            .mapValues(v -> v + "?", Named.as("ask")).selectKey((k, v) -> v.substring(0, 1), Named.as("rekey"))
            .groupByKey(Grouped.as("grouped")).count(Named.as("counted"), Materialized.as("counts"))
            .filter((k, n) -> n % 2 == 0, Named.as("even")).mapValues(Topologies::text, Named.as("texts"))
            .toStream(Named.as("changes")).to("out", Produced.as("written")));
        ALL.put("a stream that is printed", b -> {
            KStream<String, String> records = stream(b);
            records.filter((k, v) -> v != null).print(Printed.<String, String>toFile("/dev/null").withLabel("in"));
            records.print(Printed.<String, String>toFile("/dev/null").withName("printer"));
            records.to("out");
        });
        ALL.put("a stream merged with itself", b -> {
            KStream<String, String> records = stream(b);
            records.merge(records).to("out");
            KStream<String, String> kept = records.filter((k, v) -> v != null);
            kept.merge(records).merge(kept).to("out");
        });
        ALL.put("many children", b -> {
            KStream<String, String> records = stream(b).filter((k, v) -> v != null);
            KTable<String, String> rows = table(b);
            records.mapValues(v -> v + "1").to("out");
            records.merge(stream(b).filter((k, v) -> v != null && isA(k, v))).mapValues(v -> v + "2").filter(Topologies::isA).to("out");
            records.join(rows, Topologies::join).leftJoin(rows, Topologies::joinNull).to("out");
            records.groupByKey().count().toStream().mapValues(Topologies::text).to("out");
            out(rows.mapValues(v -> v + "3"));
        });
    }

    static String shown(Object value) { return value == null ? "~" : value.toString(); }
    static String hex(byte[] bytes) { return bytes == null ? "~" : HexFormat.of().formatHex(bytes); }
    static String parsed(String text) { return text.equals("~") ? null : text; }

    public static void main(String[] arguments) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(arguments[0]));
        Properties settings = new Properties();
        settings.put("application.id", "topologies");
        settings.put("bootstrap.servers", "127.0.0.1:1");
        settings.put("state.dir", arguments[0] + "-state");
        settings.put("default.key.serde", Serdes.StringSerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);
        settings.put("statestore.cache.max.bytes", "0");
        settings.put("default.dsl.store", "in_memory");
        // By default the wall clock, which stands still here, decides when left and outer joins tell what has no partner.
        settings.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
        settings.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L);
        for (var entry : ALL.entrySet()) {
            StringBuilder all = new StringBuilder();
            StreamsBuilder builder = new StreamsBuilder();
            entry.getValue().accept(builder);
            Topology topology = builder.build();
            String description = topology.describe().toString();
            all.append("== ").append(entry.getKey()).append("\n").append(description);
            try (TopologyTestDriver driver = new TopologyTestDriver(topology, settings)) {
                Map<String, TestInputTopic<String, String>> inputs = new LinkedHashMap<>();
                for (String topic : List.of("in", "tab")) {
                    if (description.contains("[" + topic + "]")) {
                        inputs.put(topic, driver.createInputTopic(topic, new StringSerializer(), new StringSerializer()));
                    }
                }
                for (String line : lines) {
                    String[] part = line.split("\t");
                    if (inputs.containsKey(part[0])) {
                        inputs.get(part[0]).pipeInput(parsed(part[1]), parsed(part[2]), Long.parseLong(part[3]));
                    }
                }
                var output = driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
                for (TestRecord<String, String> record : output.readRecordsToList()) {
                    all.append(shown(record.key())).append("\t").append(shown(record.value())).append("\t")
                        .append(record.timestamp()).append("\n");
                }
                for (String topic : new TreeSet<>(driver.producedTopicNames())) {
                    if (topic.equals("out")) continue;
                    var kept = driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                    for (TestRecord<byte[], byte[]> record : kept.readRecordsToList()) {
                        all.append(topic).append("\t").append(hex(record.key())).append("\t").append(hex(record.value()))
                            .append("\t").append(record.timestamp() == null ? 0 : record.timestamp());
                        record.headers().forEach(h -> all.append("\t").append(h.key()).append("=").append(hex(h.value())));
                        all.append("\n");
                    }
                }
            }
            System.out.print(all);
            System.out.flush();
        }
        System.out.println("== end");
    }
}
