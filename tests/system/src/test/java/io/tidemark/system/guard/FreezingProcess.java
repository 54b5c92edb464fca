package io.tidemark.system.guard;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.filesystem.FileSystemFreeze;
import io.tidemark.consistency.filesystem.FileSystemFreeze.NativeCalls;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A service's part of freezing, in a process of its own that may be killed: it freezes what it is told, trial by trial. */
final class FreezingProcess implements AutoCloseable {
    /** Between arming and freezing. */
    static final int ARMED_MILLIS = 25;

    private static final Duration LINE_LIMIT = Duration.ofSeconds(60);
    private static final String END = "(end)";

    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private volatile boolean silent;

    private FreezingProcess(Process process) {
        this.process = process;
        Thread.ofPlatform().daemon().name("freezing-process-reader").start(() -> {
            try (var reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                lines.add("unreadable: " + e.getMessage());
            }
            silent = true;
            lines.add(END);
        });
    }

    static FreezingProcess start(Path state) throws IOException {
        var command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                FreezingProcess.class.getName(),
                state.toString());
        return new FreezingProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start());
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    boolean ends(Duration limit) throws InterruptedException {
        return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    void say(String line) throws IOException {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            if (process.isAlive()) {
                throw e;
            }
        }
    }

    /** The next line that starts with one of these; empty when the process has ended. */
    Optional<String> next(String... starts) throws InterruptedException {
        while (true) {
            var line = silent ? lines.poll() : lines.poll(LINE_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            if (line == null && !silent) {
                throw new AssertionError("nothing was said for %s while waiting for %s"
                        .formatted(LINE_LIMIT, String.join(", ", starts)));
            }
            if (line == null || line.equals(END)) {
                return Optional.empty();
            }
            for (var start : starts) {
                if (line.startsWith(start)) {
                    return Optional.of(line);
                }
            }
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] arguments) throws Exception {
        var host = HostIdentity.read();
        var calls = BlockKernels.hostCalls()
                .flatMap(found -> BlockKernels.thawGuard().map(guard -> new NativeCalls(found, guard)));
        var freeze = new FileSystemFreeze(Path.of(arguments[0]), calls, "no guard", Map.of(), host.bootId());
        freeze.rehearsal().freeze().close();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (var line = input.readLine(); line != null; line = input.readLine()) {
            if (line.equals("sweep")) {
                freeze.sweep();
                System.out.println("swept");
            } else {
                var words = line.split(" ", -1);
                var fileSystems = new ArrayList<MountedVolume>();
                for (int index = 3; index < words.length; index += 2) {
                    fileSystems.add(new MountedVolume(
                            VolumeId.of("trial", "v" + index), words[index], Path.of(words[index + 1]), "any"));
                }
                System.out.println("end "
                        + pass(
                                freeze,
                                new RecoveryPointId(words[0]),
                                Duration.ofMillis(Long.parseLong(words[1])),
                                Duration.ofMillis(Long.parseLong(words[2])),
                                fileSystems));
            }
        }
    }

    /** @return whether it held, and for each file system from when to when */
    private static String pass(
            FileSystemFreeze freeze, RecoveryPointId id, Duration limit, Duration hold, List<MountedVolume> fileSystems)
            throws InterruptedException {
        try (var armed = freeze.arm(id, fileSystems, limit)) {
            System.out.println("armed");
            Thread.sleep(ARMED_MILLIS);
            armed.flush();
            armed.flush();
            System.out.println("freezing");
            try (var frozen = armed.freeze()) {
                System.out.println("frozen");
                Thread.sleep(hold.toMillis());
                boolean held = frozen.heldUntilNow();
                var release = frozen.thaw();
                var said = new StringBuilder().append(held);
                for (var each : (held ? release : release.notHeld()).freezes()) {
                    said.append(' ').append(each.heldUntilThaw());
                    said.append(' ').append(each.acknowledgedNanos());
                    said.append(' ').append(each.thawedNanos());
                }
                return said.toString();
            }
        } catch (ConsistencyException e) {
            return "refused " + e.getMessage();
        }
    }
}
