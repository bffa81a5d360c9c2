// Apache Avro's own answers about schemas and data, for avro_java_test.cc to compare with ours.
//
//   java -cp 'build/kafka/libs/*' tests/interop/Avro.java
//
// One request per line of standard input, its parts separated by U+001F; one line of answer, its parts separated alike:
//   text SCHEMA                   ok TEXT CANONICAL FINGERPRINT
//   stored SCHEMA                 the same without validation of names and defaults
//   names                         ok UNITS     (per UTF-16 unit: may a name begin with it? 'l'; go on with it? 'd'; else '-')
//   compatible READER WRITER      ok [KIND LOCATION MESSAGE]...
//   resolve WRITER READER HEX     ok HEX      (the datum as the reader's schema encodes it)
// or "error MESSAGE", when Avro refuses.
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

public class Avro {
    static final String END = "\u001f";

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split(END, -1);
            String answer;
            try {
                answer = "ok" + END + switch (parts[0]) {
                    case "text" -> text(parse(parts[1]));
                    case "stored" -> text(new Schema.Parser(NameValidator.NO_VALIDATION).setValidateDefaults(false)
                            .parse(parts[1]));
                    case "names" -> names();
                    case "compatible" -> compatible(parse(parts[1]), parse(parts[2]));
                    case "resolve" -> resolve(parse(parts[1]), parse(parts[2]), HexFormat.of().parseHex(parts[3]));
                    default -> throw new IllegalArgumentException("unknown request " + parts[0]);
                };
            } catch (Exception | StackOverflowError e) {
                answer = "error" + END + e.getClass().getSimpleName() + ": " + e.getMessage();
            }
            out.println(answer.replace('\n', ' '));
            out.flush();
        }
    }

    static Schema parse(String text) {
        return new Schema.Parser(NameValidator.UTF_VALIDATOR).setValidateDefaults(true).parse(text);
    }

    static String names() {
        StringBuilder out = new StringBuilder();
        for (int c = 0; c < 0x10000; ++c) {
            String unit = Character.toString((char) c);
            boolean begins = NameValidator.UTF_VALIDATOR.validate(unit).isOK();
            boolean goesOn = NameValidator.UTF_VALIDATOR.validate("a" + unit).isOK();
            out.append(begins ? 'l' : goesOn ? 'd' : '-');
        }
        return out.toString();
    }

    static String text(Schema schema) {
        return schema + END + SchemaNormalization.toParsingForm(schema) + END
                + Long.toHexString(SchemaNormalization.parsingFingerprint64(schema));
    }

    static String compatible(Schema reader, Schema writer) {
        List<String> parts = new ArrayList<>();
        for (var finding : SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult()
                .getIncompatibilities()) {
            parts.add(finding.getType().toString());
            parts.add(finding.getLocation());
            parts.add(finding.getMessage());
        }
        return String.join(END, parts);
    }

    static String resolve(Schema writer, Schema reader, byte[] bytes) throws Exception {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
        Object datum = new GenericDatumReader<Object>(writer, reader).read(null, decoder);
        if (!decoder.isEnd()) throw new IllegalStateException("bytes are left");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<Object>(reader).write(datum, encoder);
        encoder.flush();
        return HexFormat.of().formatHex(out.toByteArray());
    }
}
