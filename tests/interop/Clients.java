// What Kafka's own Java clients may expect of a broker, one scenario after the other.
//
//   java -cp 'build/kafka/libs/*' tests/interop/Clients.java BOOTSTRAP
//
// Prints "ok NAME" or "FAILED NAME: reason" per scenario; topics are named after it.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

public class Clients {
    interface Scenario {
        void run(String topic) throws Exception;
    }

    static String bootstrap;
    static Admin admin;

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        admin = Admin.create(properties());
        int failures = 0;
        failures += check("every-codec-and-headers", Clients::everyCodecAndHeaders);
        failures += check("records-of-a-megabyte", Clients::recordsOfAMegabyte);
        failures += check("too-large-a-record-is-refused", Clients::tooLargeARecordIsRefused);
        failures += check("idempotent-producer-keeps-order", Clients::idempotentProducerKeepsOrder);
        failures += check("aborted-transactions-are-invisible", Clients::abortedTransactionsAreInvisible);
        failures += check("open-transaction-holds-back-readers", Clients::openTransactionHoldsBackReaders);
        failures += check("older-producer-is-fenced", Clients::olderProducerIsFenced);
        failures += check("offsets-within-a-transaction", Clients::offsetsWithinATransaction);
        failures += check("rebalance-of-two-members", Clients::rebalanceOfTwoMembers);
        failures += check("static-member-keeps-its-partitions", Clients::staticMemberKeepsItsPartitions);
        failures += check("offsets-by-timestamp", Clients::offsetsByTimestamp);
        failures += check("admin-describes", Clients::adminDescribes);
        failures += check("admin-changes", Clients::adminChanges);
        failures += check("admin-groups", Clients::adminGroups);
        failures += check("admin-aborts-a-transaction", Clients::adminAbortsATransaction);
        admin.close(Duration.ofSeconds(5));
        System.exit(failures == 0 ? 0 : 1);
    }

    static int check(String name, Scenario scenario) {
        long start = System.currentTimeMillis();
        try {
            scenario.run(name);
            System.out.println("ok " + name + " " + (System.currentTimeMillis() - start) + " ms");
            return 0;
        } catch (Throwable problem) {
            System.out.println("FAILED " + name + ": " + problem);
            problem.printStackTrace();
            return 1;
        } finally {
            System.out.flush();
        }
    }

    // ---- scenarios

    static void everyCodecAndHeaders(String topic) throws Exception {
        create(topic, 1);
        List<String> sent = new ArrayList<>();
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            try (Producer<String, String> producer = producer(Map.of("compression.type", codec, "linger.ms", "20"))) {
                for (int i = 0; i < 200; i++) {
                    String key = i % 10 == 0 ? null : codec + i;
                    String value = i % 7 == 0 ? null : "value of some length, the same again and again " + i;
                    ProducerRecord<String, String> record = new ProducerRecord<>(topic, 0, 1_700_000_000_000L + i, key, value);
                    record.headers().add("codec", codec.getBytes(StandardCharsets.UTF_8)).add("none", null);
                    producer.send(record);
                    sent.add(key + "=" + value + "/" + codec + "@" + (1_700_000_000_000L + i));
                }
            }
        }
        List<String> received = new ArrayList<>();
        for (ConsumerRecord<String, String> r : read(topic, sent.size(), "read_uncommitted")) {
            equal(null, r.headers().lastHeader("none").value(), "null header");
            String codec = new String(r.headers().lastHeader("codec").value(), StandardCharsets.UTF_8);
            received.add(r.key() + "=" + r.value() + "/" + codec + "@" + r.timestamp());
        }
        equal(sent, received, "records");
    }

    static void recordsOfAMegabyte(String topic) throws Exception {
        create(topic, 1);
        byte[] noise = new byte[1_000_000];
        new Random(7).nextBytes(noise);
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(with(Map.of("max.request.size", "1100000")),
                new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < 8; i++) {
                noise[0] = (byte) i;
                producer.send(new ProducerRecord<>(topic, null, noise.clone())).get();
            }
        }
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(with(Map.of("auto.offset.reset", "earliest")),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            int next = 0;
            long deadline = System.currentTimeMillis() + 20_000;
            while (next < 8 && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(500))) {
                    noise[0] = (byte) next++;
                    check(Arrays.equals(noise, r.value()), "bytes of record " + r.offset());
                }
            }
            equal(8, next, "records");
        }
    }

    static void tooLargeARecordIsRefused(String topic) throws Exception {
        create(topic, 1);
        try (Producer<String, String> producer = producer(Map.of("max.request.size", "3000000"))) {
            fails(RecordTooLargeException.class, () -> producer.send(new ProducerRecord<>(topic, "x".repeat(2_000_000))).get());
            producer.send(new ProducerRecord<>(topic, "small")).get();
        }
    }

    static void idempotentProducerKeepsOrder(String topic) throws Exception {
        create(topic, 1);
        try (Producer<String, String> producer = producer(Map.of("enable.idempotence", "true", "acks", "all",
                "max.in.flight.requests.per.connection", "5", "batch.size", "200", "linger.ms", "0"))) {
            for (int i = 0; i < 2000; i++) producer.send(new ProducerRecord<>(topic, "k", "" + i));
        }
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 2000; i++) wanted.add("" + i);
        equal(wanted, values(read(topic, 2000, "read_uncommitted")), "order");
        DescribeProducersResult described = admin.describeProducers(List.of(new TopicPartition(topic, 0)));
        List<ProducerState> active = described.partitionResult(new TopicPartition(topic, 0)).get().activeProducers();
        equal(1, active.size(), "active producers");
        equal(1999, active.get(0).lastSequence(), "last sequence");
    }

    static void abortedTransactionsAreInvisible(String topic) throws Exception {
        create(topic, 2);
        List<String> committed = new ArrayList<>();
        try (Producer<String, String> producer = transactional(topic + "-tx")) {
            for (int t = 0; t < 6; t++) {
                producer.beginTransaction();
                for (int i = 0; i < 10; i++) {
                    producer.send(new ProducerRecord<>(topic, i % 2, "k", t + "-" + i));
                    if (t % 2 == 0) committed.add(t + "-" + i);
                }
                producer.flush();  // aborting would throw away what has not been sent
                if (t % 2 == 0) producer.commitTransaction();
                else producer.abortTransaction();
            }
        }
        List<String> seen = values(read(topic, committed.size(), "read_committed"));
        equal(committed.stream().sorted().collect(Collectors.toList()), seen.stream().sorted().collect(Collectors.toList()),
              "committed records");
        equal(60, read(topic, 60, "read_uncommitted").size(), "uncommitted records");
    }

    static void openTransactionHoldsBackReaders(String topic) throws Exception {
        create(topic, 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Producer<String, String> open = transactional(topic + "-tx"); Producer<String, String> plain = producer(Map.of())) {
            plain.send(new ProducerRecord<>(topic, "before")).get();
            open.beginTransaction();
            open.send(new ProducerRecord<>(topic, "within")).get();
            plain.send(new ProducerRecord<>(topic, "after")).get();
            equal(1L, endOffset(partition, IsolationLevel.READ_COMMITTED), "stable end");
            equal(3L, endOffset(partition, IsolationLevel.READ_UNCOMMITTED), "end");
            equal(List.of("before"), values(read(topic, 1, "read_committed")), "readable");
            equal("Ongoing", admin.describeTransactions(List.of(topic + "-tx")).description(topic + "-tx").get().state().toString(),
                  "state of the transaction");
            equal(1L, admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().stream()
                      .filter(p -> p.currentTransactionStartOffset().isPresent()).count(), "open transactions");
            open.commitTransaction();
        }
        equal(List.of("before", "within", "after"), values(read(topic, 3, "read_committed")), "readable at the end");
        becomes(4L, () -> endOffset(partition, IsolationLevel.READ_COMMITTED), "stable end with the marker");
    }

    static void olderProducerIsFenced(String topic) throws Exception {
        create(topic, 1);
        Producer<String, String> older = transactional(topic + "-tx");
        older.beginTransaction();
        older.send(new ProducerRecord<>(topic, "of the older")).get();
        try (Producer<String, String> newer = transactional(topic + "-tx")) {
            newer.beginTransaction();
            newer.send(new ProducerRecord<>(topic, "of the newer"));
            newer.commitTransaction();
        }
        fails(InvalidProducerEpochException.class, () -> older.send(new ProducerRecord<>(topic, "of the older again")).get());
        fails(ProducerFencedException.class, () -> {
            older.abortTransaction();
            return null;
        });
        older.close(Duration.ZERO);
        equal(List.of("of the newer"), values(read(topic, 1, "read_committed")), "records");
    }

    static void offsetsWithinATransaction(String topic) throws Exception {
        create(topic, 1);
        String group = topic + "-group";
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Producer<String, String> producer = producer(Map.of())) {
            for (int i = 0; i < 20; i++) producer.send(new ProducerRecord<>(topic, "" + i));
        }
        create(topic + "-out", 1);
        try (Consumer<String, String> consumer = consumer(Map.of("group.id", group, "enable.auto.commit", "false", "max.poll.records", "5"));
             Producer<String, String> producer = transactional(topic + "-tx")) {
            consumer.subscribe(List.of(topic));
            int done = 0;
            boolean abortOnce = true;
            while (done < 20) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofSeconds(5));
                if (records.isEmpty()) continue;
                producer.beginTransaction();
                long next = 0;
                for (ConsumerRecord<String, String> r : records) {
                    producer.send(new ProducerRecord<>(topic + "-out", "<" + r.value() + ">"));
                    next = r.offset() + 1;
                }
                producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(next, "meta")), consumer.groupMetadata());
                if (abortOnce && done == 10) {
                    abortOnce = false;
                    producer.abortTransaction();
                    OffsetAndMetadata back = consumer.committed(Set.of(partition)).get(partition);
                    equal(10L, back.offset(), "offset after the abort");
                    equal("meta", back.metadata(), "metadata");
                    consumer.seek(partition, back.offset());
                } else {
                    producer.commitTransaction();
                    done += records.count();
                }
            }
            equal(20L, consumer.committed(Set.of(partition)).get(partition).offset(), "offset at the end");
        }
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 20; i++) wanted.add("<" + i + ">");
        equal(wanted, values(read(topic + "-out", 20, "read_committed")), "records");
    }

    static void rebalanceOfTwoMembers(String topic) throws Exception {
        create(topic, 4);
        for (String assignor : List.of("org.apache.kafka.clients.consumer.RangeAssignor",
                                       "org.apache.kafka.clients.consumer.CooperativeStickyAssignor")) {
            Map<String, String> settings = Map.of("group.id", topic + assignor.length(), "partition.assignment.strategy", assignor,
                "heartbeat.interval.ms", "200", "session.timeout.ms", "6000");
            try (Consumer<String, String> first = consumer(settings); Consumer<String, String> second = consumer(settings)) {
                first.subscribe(List.of(topic));
                pollUntil(() -> first.assignment().size() == 4, first);
                second.subscribe(List.of(topic));
                pollUntil(() -> first.assignment().size() == 2 && second.assignment().size() == 2, first, second);
                first.unsubscribe();
                pollUntil(() -> second.assignment().size() == 4, second);
            }
        }
    }

    static void staticMemberKeepsItsPartitions(String topic) throws Exception {
        create(topic, 2);
        Map<String, String> a = Map.of("group.id", topic, "group.instance.id", "a", "session.timeout.ms", "10000");
        Map<String, String> b = Map.of("group.id", topic, "group.instance.id", "b", "session.timeout.ms", "10000",
                                       "heartbeat.interval.ms", "200");
        try (Consumer<String, String> other = consumer(b)) {
            other.subscribe(List.of(topic));
            Set<TopicPartition> before;
            try (Consumer<String, String> mine = consumer(a)) {
                mine.subscribe(List.of(topic));
                pollUntil(() -> mine.assignment().size() == 1 && other.assignment().size() == 1, mine, other);
                before = mine.assignment();
            }
            try (Consumer<String, String> back = consumer(a)) {
                back.subscribe(List.of(topic));
                pollUntil(() -> back.assignment().size() == 1, back);
                equal(before, back.assignment(), "partitions");
            }
            equal(1, other.assignment().size(), "partitions of the other");
        }
    }

    static void offsetsByTimestamp(String topic) throws Exception {
        create(topic, 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Producer<String, String> producer = producer(Map.of("linger.ms", "50"))) {
            for (int i = 0; i < 100; i++) producer.send(new ProducerRecord<>(topic, 0, 1000L * i, null, "" + i));
            producer.flush();
            producer.send(new ProducerRecord<>(topic, 0, 500L, null, "late")).get();
        }
        try (Consumer<String, String> consumer = consumer(Map.of())) {
            Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(Map.of(partition, 41_500L));
            equal(42L, found.get(partition).offset(), "offset at 41.5 s");
            equal(42_000L, found.get(partition).timestamp(), "timestamp there");
            equal(null, consumer.offsetsForTimes(Map.of(partition, 1_000_000L)).get(partition), "after the last");
        }
        equal(99L, admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).partitionResult(partition).get().offset(),
              "offset of the greatest timestamp");
        equal(0L, admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset(), "start");
        equal(101L, admin.listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition).get().offset(), "end");
    }

    static void adminDescribes(String topic) throws Exception {
        create(topic, 3);
        DescribeClusterResult cluster = admin.describeCluster();
        equal(1, cluster.nodes().get().size(), "nodes");
        check(cluster.controller().get() != null, "controller");
        check(!cluster.clusterId().get().isEmpty(), "cluster id");
        TopicDescription description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        equal(3, description.partitions().size(), "partitions");
        equal(1, description.partitions().get(2).isr().size(), "in-sync replicas");
        equal(topic, admin.describeTopics(TopicCollection.ofTopicIds(List.of(description.topicId())))
                         .allTopicIds().get().get(description.topicId()).name(), "name by id");
        check(admin.listTopics().names().get().contains(topic), "list of topics");
        fails(UnknownTopicOrPartitionException.class, () -> admin.describeTopics(List.of("no-such")).allTopicNames().get());
        fails(TopicExistsException.class, () -> admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get());
        fails(InvalidTopicException.class, () -> admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all().get());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        equal("delete", config.get("cleanup.policy").value(), "cleanup.policy");
        equal("604800000", config.get("retention.ms").value(), "retention.ms");
        check(config.get("retention.ms").isDefault(), "retention.ms is a default");
        check(!admin.describeLogDirs(List.of(cluster.nodes().get().iterator().next().id())).allDescriptions().get().isEmpty(), "log dirs");
    }

    static void adminChanges(String topic) throws Exception {
        create(topic, 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Producer<String, String> producer = producer(Map.of())) {
            for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>(topic, 0, null, "" + i));
        }
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4))).all().get();
        equal(4L, admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition).get().offset(), "start");
        equal(List.of("4", "5", "6", "7", "8", "9"), values(read(topic, 6, "read_uncommitted")), "what is left");
        fails(org.apache.kafka.common.errors.OffsetOutOfRangeException.class, () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all().get());
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
        becomes(3, () -> partitionCount(topic), "partitions");
        fails(InvalidPartitionsException.class, () -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", "1234567"), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND)))).all().get();
        becomes("1234567", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value(),
                "retention.ms");
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        equal(Set.of("delete", "compact"), Set.of(config.get("cleanup.policy").value().split(",")), "cleanup.policy");
        fails(InvalidConfigurationException.class, () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", "soon"), AlterConfigOp.OpType.SET)))).all().get());
        admin.deleteTopics(List.of(topic)).all().get();
        becomes(false, () -> admin.listTopics().names().get().contains(topic), "the topic is listed");
    }

    static void adminGroups(String topic) throws Exception {
        create(topic, 2);
        try (Producer<String, String> producer = producer(Map.of())) {
            for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>(topic, i % 2, null, "" + i));
        }
        Map<TopicPartition, OffsetAndMetadata> wanted = Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(3),
                                                              new TopicPartition(topic, 1), new OffsetAndMetadata(5));
        try (Consumer<String, String> consumer = consumer(Map.of("group.id", topic, "enable.auto.commit", "false"))) {
            consumer.subscribe(List.of(topic));
            pollUntil(() -> consumer.assignment().size() == 2, consumer);
            consumer.commitSync(wanted);
            ClassicGroupDescription group = admin.describeClassicGroups(List.of(topic)).all().get().get(topic);
            equal("Stable", group.state().toString(), "state");
            equal(2, group.members().iterator().next().assignment().topicPartitions().size(), "partitions of the member");
            fails(GroupNotEmptyException.class, () -> admin.deleteConsumerGroups(List.of(topic)).all().get());
        }
        equal(wanted, admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get(), "offsets");
        Map<TopicPartition, OffsetAndMetadata> back = Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0));
        admin.alterConsumerGroupOffsets(topic, back).all().get();
        equal(0L, admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get().get(new TopicPartition(topic, 0)).offset(),
              "altered offset");
        check(admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(topic)), "list of groups");
        admin.deleteConsumerGroups(List.of(topic)).all().get();
        check(admin.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals(topic)), "the group is gone");
    }

    static void adminAbortsATransaction(String topic) throws Exception {
        create(topic, 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Producer<String, String> hanging = transactional(topic + "-tx");
        hanging.beginTransaction();
        hanging.send(new ProducerRecord<>(topic, "never to be seen")).get();
        becomes(true, () -> admin.listTransactions().all().get().stream().anyMatch(t -> t.transactionalId().equals(topic + "-tx")),
                "the transaction is listed");
        admin.fenceProducers(List.of(topic + "-tx")).all().get();
        becomes(2L, () -> endOffset(partition, IsolationLevel.READ_COMMITTED), "stable end when the transaction was aborted");
        fails(KafkaException.class, () -> {
            hanging.commitTransaction();
            return null;
        });
        hanging.close(Duration.ZERO);
    }

    // ---- what the scenarios share

    static Properties properties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        return properties;
    }

    static Properties with(Map<String, String> settings) {
        Properties properties = properties();
        properties.putAll(settings);
        return properties;
    }

    static Producer<String, String> producer(Map<String, String> settings) {
        return new KafkaProducer<>(with(settings), new StringSerializer(), new StringSerializer());
    }

    static Producer<String, String> transactional(String id) {
        Producer<String, String> producer = producer(Map.of("transactional.id", id));
        producer.initTransactions();
        return producer;
    }

    static Consumer<String, String> consumer(Map<String, String> settings) {
        Properties properties = properties();
        properties.put("auto.offset.reset", "earliest");
        properties.putAll(settings);
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    static void create(String topic, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        becomes(partitions, () -> partitionCount(topic), "partitions of the new topic");
    }

    static int partitionCount(String topic) throws Exception {
        try {
            return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
        } catch (ExecutionException problem) {
            if (problem.getCause() instanceof UnknownTopicOrPartitionException) return 0;
            throw problem;
        }
    }

    // At least `count` records of all partitions, and those that follow within a moment: too many is a failure too.
    static List<ConsumerRecord<String, String>> read(String topic, int count, String isolation) throws Exception {
        List<ConsumerRecord<String, String>> out = new ArrayList<>();
        try (Consumer<String, String> consumer = consumer(Map.of("isolation.level", isolation))) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(p -> new TopicPartition(topic, p.partition())).collect(Collectors.toList());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.currentTimeMillis() + 20_000;
            while (out.size() < count && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) out.add(r);
            }
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) out.add(r);
        }
        return out;
    }

    static List<String> values(Collection<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).collect(Collectors.toList());
    }

    static long endOffset(TopicPartition partition, IsolationLevel isolation) throws Exception {
        return admin.listOffsets(Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(isolation))
            .partitionResult(partition).get().offset();
    }

    interface Condition {
        boolean holds();
    }

    @SafeVarargs
    static void pollUntil(Condition condition, Consumer<String, String>... consumers) {
        long deadline = System.currentTimeMillis() + 20_000;
        while (!condition.holds()) {
            check(System.currentTimeMillis() < deadline, "the group settled");
            for (Consumer<String, String> consumer : consumers) consumer.poll(Duration.ofMillis(50));
        }
    }

    interface Action {
        Object run() throws Exception;
    }

    interface Question<T> {
        T ask() throws Exception;
    }

    // An answer may come from a broker that has not heard of the change yet, or before markers are written.
    static <T> void becomes(T wanted, Question<T> question, String what) throws Exception {
        long deadline = System.currentTimeMillis() + 20_000;
        T got = question.ask();
        for (; !Objects.equals(wanted, got) && System.currentTimeMillis() < deadline; got = question.ask()) Thread.sleep(20);
        equal(wanted, got, what);
    }

    static void fails(Class<? extends Throwable> wanted, Action action) throws Exception {
        try {
            action.run();
        } catch (Exception problem) {
            for (Throwable t = problem; t != null; t = t.getCause()) {
                if (wanted.isInstance(t)) return;
            }
            throw problem;
        }
        throw new AssertionError("no " + wanted.getSimpleName());
    }

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError("not so: " + what);
    }

    static void equal(Object wanted, Object got, String what) {
        if (!Objects.equals(wanted, got)) throw new AssertionError(what + ": wanted " + wanted + ", got " + got);
    }
}
