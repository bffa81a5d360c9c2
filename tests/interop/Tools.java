// Runs Kafka's own command line tools one after the other in one JVM, because starting a JVM costs more than most tools.
//
// A line of standard input is a tool to run: its main class, what it reads from standard input, then its arguments,
// separated by U+001F; line ends within them are U+001E. The answer is what the tool wrote to standard output and to
// standard error, then a line of U+0004 and the exit code.
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

public class Tools {
    // Ends a tool that exits. Some tools catch it and exit once more; the first code and the output until then count.
    static final class Exited extends Error {
        Exited() {
            super(null, null, false, false);
        }
    }

    static final class Output extends ByteArrayOutputStream {
        volatile Integer code;

        @Override
        public synchronized void write(int octet) {
            if (code == null) super.write(octet);
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) {
            if (code == null) super.write(bytes, offset, length);
        }

        synchronized void end(int exitCode) {
            if (code == null) code = exitCode;
        }
    }

    static volatile Output output;

    public static void main(String[] ignored) throws Exception {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = System.out;
        Exit.Procedure leave = (code, message) -> {
            output.end(code);
            throw new Exited();
        };
        Exit.setExitProcedure(leave);
        Exit.setHaltProcedure(leave);
        List<Runnable> hooks = new ArrayList<>();  // some tools send what is left when the JVM ends
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        String line;
        while ((line = requests.readLine()) != null) {
            String[] words = line.replace('\u001e', '\n').split("\u001f", -1);
            output = new Output();
            PrintStream sink = new PrintStream(output, true, StandardCharsets.UTF_8);
            System.setIn(new ByteArrayInputStream(words[1].getBytes(StandardCharsets.UTF_8)));
            System.setOut(sink);
            System.setErr(sink);
            // Tools written in Scala print through scala.Console, which took System.out when it was first used.
            scala.Console.withOut(sink, () -> {
                run(words[0], Arrays.copyOfRange(words, 2, words.length));
                return null;
            });
            hooks.forEach(Runnable::run);
            hooks.clear();
            answers.print(output.toString(StandardCharsets.UTF_8));
            answers.print("\n\u0004" + output.code + "\n");
            answers.flush();
        }
    }

    static void run(String mainClass, String[] arguments) {
        try {
            Class.forName(mainClass).getMethod("main", String[].class).invoke(null, (Object) arguments);
            output.end(0);
        } catch (ReflectiveOperationException problem) {
            if (output.code == null) problem.printStackTrace();
            output.end(1);
        }
    }
}
