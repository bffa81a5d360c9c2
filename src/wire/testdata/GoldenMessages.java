// Writes the golden bytes of message_golden_test.cc with Apache Kafka's own classes. From the top of the tree:
//   java -cp 'build/kafka/libs/*' src/wire/testdata/GoldenMessages.java src/wire/messages/*.msg \
//     > src/wire/testdata/kafka-4.3.1.txt
// Three lines per message and version: name, version, hex. Contents are random from a fixed seed.
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

public class GoldenMessages {
    static final Random random = new Random(20261121);
    static final String[] PACKAGES = {"org.apache.kafka.common.message.%sData", "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s", "org.apache.kafka.coordinator.transaction.generated.%s"};

    public static void main(String[] tables) throws Exception {
        for (String table : tables) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] words = line.split(" ");
                if (!line.matches("(request|response|data) .*")) continue;
                String[] range = words[2].split("-");
                for (int v = Integer.parseInt(range[0]); v <= Integer.parseInt(range[1]); ++v) {
                    for (int round = 0; round < 3; ++round) write(words[1], (short) v);
                }
            }
        }
    }

    static void write(String name, short version) throws Exception {
        Class<?> type = null;
        for (String pattern : PACKAGES) {
            try {
                type = Class.forName(String.format(pattern, name));
                break;
            } catch (ClassNotFoundException e) {
                // the next package may have it
            }
        }
        if (type == null) throw new IllegalArgumentException(name);
        Message message = (Message) type.getDeclaredConstructor().newInstance();
        if (version < message.lowestSupportedVersion() || version > message.highestSupportedVersion()) {
            System.err.println(name + " has no version " + version);
            return;
        }
        fill(message, ((Schema[]) type.getField("SCHEMAS").get(null))[version]);
        ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        System.out.println(name + " " + version + " " + HexFormat.of().formatHex(copy));
    }

    static String camel(String snake) {
        StringBuilder out = new StringBuilder();
        boolean upper = false;
        for (char c : snake.toCharArray()) {
            if (c == '_') upper = true;
            else out.append(upper ? Character.toUpperCase(c) : c);
            if (c != '_') upper = false;
        }
        return out.toString();
    }

    // Fills the fields that the version has.
    static void fill(Object message, Schema schema) throws Exception {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (var field : tagged.fields().values()) set(message, field.name, field.type);
            } else {
                set(message, bound.def.name, bound.def.type);
            }
        }
    }

    static void set(Object message, String name, Type type) throws Exception {
        Field field = null;
        for (Field f : message.getClass().getDeclaredFields()) {
            if (f.getName().equalsIgnoreCase(camel(name))) field = f;
        }
        if (field == null) throw new IllegalArgumentException(message.getClass() + "." + name);
        field.setAccessible(true);
        if (type.isNullable() && random.nextInt(3) == 0) {
            field.set(message, null);
            return;
        }
        Class<?> c = field.getType();
        if (Collection.class.isAssignableFrom(c)) {
            Class<?> element = elementType(field);
            Type of = type.arrayElementType().get();
            Object list = List.class.isAssignableFrom(c) ? new ArrayList<>() : c.getDeclaredConstructor().newInstance();
            Method add = Collection.class.getMethod("add", Object.class);
            for (int n = random.nextInt(3); n > 0; --n) add.invoke(list, value(element, of));
            field.set(message, list);
        } else {
            field.set(message, value(c, type));
        }
    }

    static Class<?> elementType(Field field) {
        var generic = field.getGenericType();
        if (!(generic instanceof ParameterizedType)) generic = field.getType().getGenericSuperclass();
        return (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
    }

    static Object value(Class<?> c, Type type) throws Exception {
        if (c == boolean.class) return random.nextBoolean();
        if (c == byte.class || c == Byte.class) return (byte) random.nextInt();
        if (c == short.class || c == Short.class) return (short) random.nextInt();
        if (c == int.class && type.toString().equals("UINT16")) return random.nextInt(65536);
        if (c == int.class || c == Integer.class) return random.nextInt();
        if (c == long.class || c == Long.class) return random.nextLong();
        if (c == String.class) return "s" + Integer.toString(random.nextInt(1_000_000), 36);
        if (c == byte[].class) return bytes();
        if (c == ByteBuffer.class) return ByteBuffer.wrap(bytes());
        if (c == Uuid.class) return new Uuid(random.nextLong(), random.nextLong());
        if (c.getSimpleName().equals("BaseRecords")) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        Object nested = c.getDeclaredConstructor().newInstance();
        fill(nested, (Schema) type);
        return nested;
    }

    static byte[] bytes() {
        byte[] out = new byte[random.nextInt(6)];
        random.nextBytes(out);
        return out;
    }
}
