package io.tidemark.system.guard;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.consistency.HostIdentity;
import io.tidemark.consistency.filesystem.FileSystemFreeze;
import io.tidemark.consistency.filesystem.FileSystemFreeze.NativeCalls;
import io.tidemark.nativeblock.BlockKernels;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.SaidLines;
import io.tidemark.system.ground.TidemarkProgram;
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
import java.util.concurrent.TimeUnit;

/** A service's part of freezing, in a process of its own that may be killed: it freezes what it is told, trial by trial. */
final class FreezingProcess implements AutoCloseable {
    /** Between arming and freezing. */
    static final int ARMED_MILLIS = 25;

    private final Process process;
    private final SaidLines lines;

    private FreezingProcess(Process process) {
        this.process = process;
        this.lines = new SaidLines(process);
    }

    static FreezingProcess start(Path state) throws IOException {
        var command = TidemarkProgram.java(List.of("-Xmx64m"), FreezingProcess.class.getName(), state.toString());
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

    /** As {@link SaidLines#next}. */
    Optional<String> next(String... starts) throws InterruptedException {
        return lines.next(starts);
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
