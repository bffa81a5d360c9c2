// Applications of Kafka Streams for the JVM, exactly once; streams_applications.cc has the same for Muir.
//
//   java -cp 'build/kafka/libs/*' tests/interop/Applications.java NAME BOOTSTRAP APPLICATION_ID INPUT STATE_DIR
//
// Prints "running" when it runs, and "closed" after a line on standard input made it leave its group.
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

public class Applications {
    public static void main(String[] arguments) throws Exception {
        String application = arguments[2];
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[1]);
        settings.put("application.id", application);
        settings.put("state.dir", arguments[4]);
        settings.put("default.key.serde", Serdes.StringSerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("commit.interval.ms", "100");
        settings.put("producer.transaction.timeout.ms", "5000");
        settings.put("statestore.cache.max.bytes", "0");  // every update is seen
        settings.put("auto.offset.reset", "earliest");
        settings.put("session.timeout.ms", "6000");
        settings.put("heartbeat.interval.ms", "500");
        settings.put("repartition.purge.interval.ms", "600000");

        StreamsBuilder builder = new StreamsBuilder();
        if (arguments[0].equals("word-count")) wordCount(builder, application, arguments[3]);
        else operators(builder, application, arguments[3]);

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

    // Words in all time and in windows of ten seconds, both behind the same repartition topic; stores have names.
    static void wordCount(StreamsBuilder builder, String application, String input) {
        KGroupedStream<String, String> words = builder.<String, String>stream(input)
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.as("by-word"));
        words.count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"))
            .toStream()
            .mapValues(count -> Long.toString(count))
            .to(application + "-out");
        words.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofHours(1)))
            .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windowed"))
            .toStream((windowed, count) -> windowed.key() + "@" + windowed.window().start())
            .mapValues(count -> Long.toString(count))
            .to(application + "-windowed");
    }

    // One of most operators; nothing has a name, so that the generated ones must agree as well.
    static void operators(StreamsBuilder builder, String application, String input) {
        KTable<String, String> customers = builder.table(input + "-customers");
        KStream<String, String> orders = builder.stream(input + "-orders");
        GlobalKTable<String, String> rates = builder.globalTable(input + "-rates");

        orders.join(customers, (order, customer) -> order + "/" + customer).to(application + "-joined");
        orders.leftJoin(customers, (order, customer) -> order + "/" + customer).to(application + "-left");
        orders.filter((key, order) -> order != null)
            .join(rates, (key, order) -> order.substring(0, 1), (order, rate) -> order + "*" + rate)
            .to(application + "-rated");
        orders.groupByKey().aggregate(() -> "", (key, order, all) -> all + order + ",").toStream().to(application + "-aggregated");
        orders.groupByKey().reduce((a, b) -> a.compareTo(b) > 0 ? a : b).toStream().to(application + "-greatest");
        orders.filter((key, order) -> order != null)
            .groupBy((key, order) -> order.substring(0, 1))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(2)).advanceBy(Duration.ofSeconds(5)))
            .count()
            .toStream((windowed, count) -> windowed.key() + "@" + windowed.window().start())
            .mapValues(count -> Long.toString(count))
            .to(application + "-hopping");
        orders.filter((key, order) -> order != null && order.startsWith("a"))
            .selectKey((key, order) -> order)
            .repartition()
            .mapValues(order -> "<" + order + ">")
            .to(application + "-repartitioned");
        orders.toTable().filter((key, order) -> !order.startsWith("b")).toStream().to(application + "-table");
        customers.groupBy((key, customer) -> KeyValue.pair(customer.substring(0, 1), customer))
            .count()
            .toStream()
            .mapValues(count -> Long.toString(count))
            .to(application + "-regions");
    }
}
