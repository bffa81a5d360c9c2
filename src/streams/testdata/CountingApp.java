// The application of exactly_once_test.cc, written for Kafka Streams on the JVM.
//   java -cp "<kafka>/libs/*" CountingApp.java <bootstrap.servers> <state.dir>
// Prints each state it enters, and closes when its standard input ends.
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

public class CountingApp {
  public static void main(String[] arguments) throws Exception {
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, arguments[1]);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    config.put("session.timeout.ms", "6000");
    config.put("heartbeat.interval.ms", "500");
    var text = Serdes.String();
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream("in", Consumed.with(text, text))
        .groupBy((key, word) -> word, Grouped.with("by-word", text, text))
        .count(Materialized.<String, Long, org.apache.kafka.streams.state.KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("counts")
            .withKeySerde(text).withValueSerde(Serdes.Long()).withCachingDisabled())
        .toStream()
        .mapValues(count -> Long.toString(count))
        .to("out", Produced.with(text, text));
    KafkaStreams streams = new KafkaStreams(builder.build(), config);
    streams.setStateListener((to, from) -> { System.out.println(to); System.out.flush(); });
    streams.start();
    while (System.in.read() >= 0) { }
    streams.close(java.time.Duration.ofSeconds(30));
    System.out.println("CLOSED");
    System.exit(0);
  }
}
