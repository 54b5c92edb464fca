package io.tidemark.system.recoverypoint;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.Moment;
import io.tidemark.domain.ProgressListener;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.SaidLines;
import io.tidemark.system.ground.TidemarkProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Takes one recovery point in a process of its own, which stops at a named moment, says so, and waits for a line. Tests
 * kill it there, or stop it, or let it go on.
 */
final class TakerProcess implements AutoCloseable {
    private static final Duration LINE_LIMIT = Duration.ofSeconds(60);
    private static final int FIRST_SETTING = 8;

    private final Process process;
    private final SaidLines lines;

    private TakerProcess(Process process) {
        this.process = process;
        this.lines = new SaidLines(process);
    }

    /** @param requirement what the group requires */
    static TakerProcess start(
            DatabaseOnImage database, RecoveryPointId id, Moment stopAt, Duration limit, Consistency requirement)
            throws IOException {
        var quiescer = new QuiescerSpec(
                "postgresql", Map.of("port", Integer.toString(database.server().port()), "user", "postgres"));
        return start(
                new Place(database.images(), database.state(), DatabaseOnImage.VOLUME),
                quiescer,
                id,
                stopAt,
                limit,
                requirement);
    }

    /** Where the volume lies, and the state of the process that cuts it. */
    record Place(Path images, Path state, VolumeId volume) {}

    static TakerProcess start(
            Place place,
            QuiescerSpec quiescer,
            RecoveryPointId id,
            Moment stopAt,
            Duration limit,
            Consistency requirement)
            throws IOException {
        var command = TidemarkProgram.java(
                List.of("-Xmx256m"),
                TakerProcess.class.getName(),
                place.images().toString(),
                place.state().toString(),
                id.value(),
                stopAt.name(),
                Long.toString(limit.toMillis()),
                requirement.name(),
                place.volume().toString(),
                quiescer.kind());
        quiescer.settings().forEach((name, value) -> command.addAll(List.of(name, value)));
        return new TakerProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** Waits for a line that starts so. */
    String await(String start) throws InterruptedException {
        return lines.next(start)
                .orElseThrow(() -> new AssertionError("the process ended while it was awaited to say " + start));
    }

    void goOn() throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
    }

    void signal(String name) throws IOException {
        io.tidemark.system.ground.Programs.run("kill", "-" + name, Long.toString(process.pid()));
    }

    /** Its thaw guard: the child that freezes; not the guard's own child. */
    ProcessHandle guard() {
        return process.children()
                .filter(child -> child.info().command().orElse("").contains("thaw-guard"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no guard is running"));
    }

    void awaitEnd() throws InterruptedException {
        process.waitFor(LINE_LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] args) throws Exception {
        var images = Path.of(args[0]);
        var state = Path.of(args[1]);
        var id = new RecoveryPointId(args[2]);
        var stopAt = Moment.valueOf(args[3]);
        var settings = new HashMap<String, String>();
        for (int index = FIRST_SETTING; index < args.length; index += 2) {
            settings.put(args[index], args[index + 1]);
        }
        var group = new ConsistencyGroup(
                new GroupId("orders"),
                List.of(new VolumeId(args[6])),
                List.of(new QuiescerSpec(args[7], settings)),
                true,
                Duration.ofMillis(Long.parseLong(args[4])),
                Consistency.valueOf(args[5]));
        var input = System.in;
        try (var images1 = TakerOfImages.open(images, state, moment -> {
            if (moment == stopAt) {
                System.out.println("moment " + moment);
                try {
                    int unused = input.read();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            }
        })) {
            var point = images1.taker().take(images1.taker().plan(id, group), ProgressListener.NONE);
            System.out.println("taken " + point.consistency() + " " + point.certificate());
        } catch (ConsistencyException e) {
            System.out.println("refused " + e.error().getClass().getSimpleName() + " " + e.getMessage());
        }
    }
}
