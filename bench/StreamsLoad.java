// The applications of streams_load.cc on Kafka Streams for the JVM; see bench/streams_vs_jvm.py.
//
//   java -cp 'CLASSES:build/kafka/libs/*' StreamsLoad BROKER TOPOLOGY GUARANTEE APPLICATION_ID STATE_DIR
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

public class StreamsLoad {
    // Sum and count of a window, 16 bytes.
    record Average(long sum, long count) {
        static Serde<Average> serde() {
            return Serdes.serdeFrom(
                (topic, all) -> all == null ? null : ByteBuffer.allocate(16).putLong(all.sum).putLong(all.count).array(),
                (topic, bytes) -> {
                    if (bytes == null) return null;
                    ByteBuffer buffer = ByteBuffer.wrap(bytes);
                    return new Average(buffer.getLong(), buffer.getLong());
                });
        }
    }

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("application.id", arguments[3]);
        settings.put("state.dir", arguments[4]);
        settings.put("processing.guarantee", arguments[2]);
        settings.put("auto.offset.reset", "earliest");
        settings.put("default.key.serde", Serdes.StringSerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);
        settings.put("statestore.cache.max.bytes", "0");  // every update is written, as Muir does

        StreamsBuilder builder = new StreamsBuilder();
        build(builder, arguments[1], arguments[3] + "-out");
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.start();
        System.in.read();
        streams.close(Duration.ofSeconds(30));
        System.exit(0);
    }

    static void build(StreamsBuilder builder, String topology, String out) {
        KStream<String, String> in = builder.stream("in");
        switch (topology) {
            case "pass-through" -> in.to(out);
            case "count" -> in.groupByKey()
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"))
                .toStream()
                .to(out, Produced.with(Serdes.String(), Serdes.Long()));
            case "window" -> in.groupByKey()
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(60)))
                .aggregate(() -> new Average(0, 0), (key, value, all) -> new Average(all.sum + value.length(), all.count + 1),
                    Materialized.<String, Average, WindowStore<Bytes, byte[]>>as("averages").withValueSerde(Average.serde()))
                .toStream()
                .map((key, all) -> KeyValue.pair(key.key(), (double) all.sum / all.count))
                .to(out, Produced.with(Serdes.String(), Serdes.Double()));
            case "join" -> in
                .join(builder.<String, String>table("table", Materialized.as("rows")), (value, row) -> value + row)
                .to(out);
            default -> throw new IllegalArgumentException("no topology " + topology);
        }
    }
}
