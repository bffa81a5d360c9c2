// Apache Avro's Java library on the record of serde_bench: nanoseconds of CPU time for decoding and encoding one.
//
//   java -cp 'build/kafka/libs/*' bench/AvroCodec.java
//
// Everything that can be used again is: decoder, encoder, record, buffer. The last of five rounds counts, when the code
// has been compiled.
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;

public class AvroCodec {
    static final int RECORDS = 3_000_000;
    static final Schema SCHEMA = new Schema.Parser().parse("""
            {"type":"record","name":"fleet.Position","fields":[{"name":"vehicle","type":"string"},
             {"name":"lat","type":"double"},{"name":"lon","type":"double"},{"name":"speed","type":"float"},
             {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}}]}""");

    public static void main(String[] arguments) throws Exception {
        GenericRecord position = new GenericData.Record(SCHEMA);
        position.put("vehicle", new Utf8("V1234"));
        position.put("lat", 52.2297);
        position.put("lon", 21.0122);
        position.put("speed", 36.5F);
        position.put("timestamp", 1_767_268_800_000L);

        GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(SCHEMA);
        GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(SCHEMA, SCHEMA);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        BinaryDecoder decoder = null;
        GenericRecord decoded = null;
        for (int round = 0; round < 5; round++) {
            long start = cpuNanos();
            for (int i = 0; i < RECORDS; i++) {
                out.reset();
                encoder = EncoderFactory.get().directBinaryEncoder(out, encoder);
                writer.write(position, encoder);
            }
            double encode = (cpuNanos() - start) / (double) RECORDS;
            byte[] bytes = out.toByteArray();
            start = cpuNanos();
            for (int i = 0; i < RECORDS; i++) {
                decoder = DecoderFactory.get().binaryDecoder(bytes, decoder);
                decoded = reader.read(decoded, decoder);
            }
            double decode = (cpuNanos() - start) / (double) RECORDS;
            if (!decoded.equals(position)) throw new IllegalStateException("the record does not survive");
            System.out.printf("decode %.0f ns, encode %.0f ns%n", decode, encode);
        }
    }

    static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
