// Word count on Kafka Streams for the JVM: per word in all time and per word in windows of ten seconds, both behind the
// same repartition topic, exactly once.
//
//   java -cp 'build/kafka/libs/*' tests/interop/WordCount.java BOOTSTRAP APPLICATION_ID INPUT_TOPIC STATE_DIR
//
// Writes "APPLICATION_ID-out" (word -> count as text) and
// "APPLICATION_ID-windowed" (word@window start -> count as text). Prints "running" when it runs, and "closed" after a
// line on standard input made it leave its group.
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

public class WordCount {
    public static void main(String[] arguments) throws Exception {
        String application = arguments[1];
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("application.id", application);
        settings.put("state.dir", arguments[3]);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("commit.interval.ms", "100");
        settings.put("statestore.cache.max.bytes", "0");  // every update is seen
        settings.put("auto.offset.reset", "earliest");
        settings.put("session.timeout.ms", "6000");
        settings.put("heartbeat.interval.ms", "500");
        settings.put("repartition.purge.interval.ms", "600000");

        StreamsBuilder builder = new StreamsBuilder();
        KGroupedStream<String, String> words =
            builder.stream(arguments[2], Consumed.with(Serdes.String(), Serdes.String()))
                .flatMapValues(line -> Arrays.asList(line.split(" ")))
                .groupBy((key, word) -> word, Grouped.with("by-word", Serdes.String(), Serdes.String()));
        words.count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts")
                        .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
            .toStream()
            .mapValues(count -> Long.toString(count))
            .to(application + "-out", Produced.with(Serdes.String(), Serdes.String()));
        words.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofHours(1)))
            .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windowed")
                       .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
            .toStream((windowed, count) -> windowed.key() + "@" + windowed.window().start())
            .mapValues(count -> Long.toString(count))
            .to(application + "-windowed", Produced.with(Serdes.String(), Serdes.String()));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        CountDownLatch running = new CountDownLatch(1);
        streams.setStateListener((to, from) -> {
            if (to == KafkaStreams.State.RUNNING) running.countDown();
            if (to == KafkaStreams.State.ERROR) System.exit(3);
        });
        streams.start();
        running.await();
        System.out.println("running");
        System.in.read();
        boolean closed = streams.close(CloseOptions.timeout(Duration.ofSeconds(30))
            .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        System.out.println(closed ? "closed" : "closing takes too long");
        System.exit(closed ? 0 : 1);
    }
}
