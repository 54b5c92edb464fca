package io.tidemark.system.guard;

import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.Watchdog;
import io.tidemark.system.ground.WriterProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Eight file systems with a writer on each, a service that freezes them, and another in readiness for when it dies. */
final class FreezeRig implements AutoCloseable {
    static final List<String> TYPES = List.of("ext4", "xfs", "btrfs", "ext4", "xfs", "btrfs", "ext4", "ext4");

    private static final Duration FLOWS_WITHIN = Duration.ofSeconds(5);
    /** From the event: longer than a service waits for a guard that does not answer, and for its end. */
    private static final Duration PROCESSES_END_WITHIN = Duration.ofSeconds(20);

    private static final Duration DIES_WITHIN = Duration.ofSeconds(2);
    /** After the limit, until what was stopped goes on. */
    private static final Duration STOPPED_BEYOND = Duration.ofMillis(300);

    private final Kept made = new Kept();
    private final Path state;
    private final List<RigFileSystem> fileSystems = new ArrayList<>();
    private final WriterProbe control;
    private final Optional<TightMemory> memory;
    private FreezingProcess service;
    private FreezingProcess next;
    private boolean mayBeDying;

    FreezeRig() throws IOException, InterruptedException {
        try {
            var ground = made.keep(Ground.open());
            state = tmpfs(ground.folder().resolve("state"));
            for (int number = 0; number < TYPES.size(); number++) {
                fileSystems.add(made.keep(new RigFileSystem(
                        TYPES.get(number),
                        ground.folder().resolve("image" + number),
                        ground.folder().resolve("mounted" + number))));
            }
            memory = TightMemory.make();
            memory.ifPresent(made::keep);
            control = made.keep(new WriterProbe(state.resolve("control")));
            next = ready();
            service = promote();
        } catch (IOException | InterruptedException | RuntimeException e) {
            made.close();
            throw e;
        }
    }

    /**
     * @param excludedFromLimit nobody was left to thaw but the next start
     * @param readOnly file systems that the kernel forced to be read-only: {@link RigFileSystem#isForcedReadOnly}
     */
    record Outcome(
            GuardTrial trial,
            Duration stall,
            Duration control,
            boolean excludedFromLimit,
            int readOnly,
            String said,
            List<String> failures) {
        Duration beyondLimit() {
            return stall.minus(trial.limit());
        }
    }

    boolean hasTightMemory() {
        return memory.isPresent();
    }

    Outcome run(GuardTrial trial) throws IOException, InterruptedException {
        var failures = new ArrayList<String>();
        readyService();
        for (var fileSystem : fileSystems) {
            fileSystem.writer().write(trial.written());
            fileSystem.probe().forget();
        }
        control.forget();
        var said = pass(trial, failures);
        if (trial.event() == GuardTrial.Event.ALL_KILLED) {
            service = promote();
            sweep();
        }
        return judge(trial, said, failures);
    }

    /** One that is being killed for want of memory may look alive for as long as that takes. */
    private void readyService() throws IOException, InterruptedException {
        if (mayBeDying) {
            mayBeDying = false;
            if (service.ends(DIES_WITHIN)) {
                service = promote();
            }
        } else if (!service.isAlive()) {
            service = promote();
        }
        sweep();
    }

    private String pass(GuardTrial trial, List<String> failures) throws IOException, InterruptedException {
        var line = new StringBuilder("rp-%d %d %d"
                .formatted(trial.seed(), trial.limit().toMillis(), trial.hold().toMillis()));
        for (int number : trial.fileSystems()) {
            var fileSystem = fileSystems.get(number);
            line.append(' ').append(fileSystem.device()).append(' ').append(fileSystem.mountPoint());
        }
        if (trial.event() == GuardTrial.Event.DISK_FULL && trial.phase() == GuardTrial.Phase.ARMED) {
            fillDisk();
        }
        service.say(line.toString());
        var said = service.next("armed", "end").orElse("end died");
        if (said.startsWith("end")) {
            Files.deleteIfExists(filler());
            return said;
        }
        var parties = Parties.of(service.handle());
        boolean frozen = trial.phase() == GuardTrial.Phase.FROZEN;
        if (trial.phase() != GuardTrial.Phase.ARMED) {
            said = service.next(frozen ? "frozen" : "freezing", "end").orElse("end died");
        }
        if (!said.startsWith("end")) {
            Thread.sleep(trial.delay());
            act(trial, parties);
            if (trial.event().stops()) {
                Thread.sleep(trial.limit().plus(STOPPED_BEYOND));
                parties.goOn();
            }
            said = service.next("end").orElse("end died");
            if (trial.event().endsService() && !service.ends(PROCESSES_END_WITHIN)) {
                failures.add("the service still runs");
            }
        }
        if (!parties.guardsEnded(PROCESSES_END_WITHIN)) {
            failures.add("guard or sentinel still runs");
        }
        if (trial.event() == GuardTrial.Event.MEMORY_TIGHT) {
            memory.orElseThrow().relax();
            mayBeDying = true;
        }
        Files.deleteIfExists(filler());
        return said;
    }

    private void act(GuardTrial trial, Parties parties) throws IOException, InterruptedException {
        switch (trial.event()) {
            case DISK_FULL -> fillDisk();
            case MEMORY_TIGHT -> memory.orElseThrow().squeeze(trial.written());
            default -> parties.suffer(trial.event(), trial.gap());
        }
    }

    private Outcome judge(GuardTrial trial, String said, List<String> failures)
            throws IOException, InterruptedException {
        var stall = Duration.ZERO;
        int readOnly = 0;
        var words = said.split(" ", -1);
        if (words[1].equals("true")) {
            checkThatItHeld(trial, words, failures);
        } else if (trial.event() == GuardTrial.Event.NONE && !mayExpire(trial)) {
            failures.add("nothing happened, and it has not held: " + said);
        }
        if (trial.event() == GuardTrial.Event.CUT_OUTLASTS_THE_LIMIT && words[1].equals("true")) {
            failures.add("is said to have held beyond the limit");
        }
        for (int number : trial.fileSystems()) {
            var fileSystem = fileSystems.get(number);
            if (isForcedReadOnly(fileSystem, trial)) {
                readOnly++;
                fileSystem.mountAnew();
                continue;
            }
            if (!fileSystem.probe().flows(FLOWS_WITHIN)) {
                failures.add("file system %d (%s) is still frozen".formatted(number, fileSystem.type()));
                Programs.attempt(
                        List.of("fsfreeze", "-u", fileSystem.mountPoint().toString()));
            }
            var longest = fileSystem.probe().longest();
            stall = longest.compareTo(stall) > 0 ? longest : stall;
        }
        return new Outcome(
                trial,
                stall,
                control.longest(),
                trial.event() == GuardTrial.Event.ALL_KILLED,
                readOnly,
                said,
                List.copyOf(failures));
    }

    /** Only where the trial kills who may be thawing, or takes the memory: nothing else may cause it, least of all we. */
    private static boolean isForcedReadOnly(RigFileSystem fileSystem, GuardTrial trial)
            throws IOException, InterruptedException {
        return trial.event().kills() && fileSystem.probe().isReadOnly() && fileSystem.isForcedReadOnly();
    }

    /** Freezing so many takes a good part of a short limit. */
    private static boolean mayExpire(GuardTrial trial) {
        return trial.fileSystems().size() * 100L + trial.hold().toMillis()
                > trial.limit().toMillis();
    }

    /** What the certificate would say, against what the writers saw. */
    private void checkThatItHeld(GuardTrial trial, String[] words, List<String> failures) {
        for (int index = 0; index < trial.fileSystems().size(); index++) {
            int first = 2 + index * 3;
            if (words[first].equals("true")
                    && fileSystems
                            .get(trial.fileSystems().get(index))
                            .probe()
                            .wroteBetween(Long.parseLong(words[first + 1]), Long.parseLong(words[first + 2]))) {
                failures.add("file system %d is said to have held, and was written to meanwhile"
                        .formatted(trial.fileSystems().get(index)));
            }
        }
    }

    private void sweep() throws IOException, InterruptedException {
        service.say("sweep");
        var unused = service.next("swept").orElseThrow(() -> new AssertionError("the service died while it swept"));
        var journals = state.resolve("freezes");
        if (Files.exists(journals)) {
            try (var left = Files.list(journals)) {
                var files = left.toList();
                if (!files.isEmpty()) {
                    throw new AssertionError("left after a sweep: " + files);
                }
            }
        }
    }

    private Path filler() {
        return state.resolve("filler");
    }

    private void fillDisk() throws IOException {
        try (var file = Files.newByteChannel(filler(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            var zeros = java.nio.ByteBuffer.allocate(4096);
            while (true) {
                file.write(zeros.rewind());
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No space left")) {
                throw e;
            }
        }
    }

    private FreezingProcess ready() throws IOException, InterruptedException {
        var process = made.keep(FreezingProcess.start(state));
        var unused = process.next("ready").orElseThrow(() -> new AssertionError("the service did not start"));
        return process;
    }

    private FreezingProcess promote() throws IOException, InterruptedException {
        var promoted = next;
        if (memory.isPresent()) {
            memory.get().add(promoted.handle());
        }
        next = ready();
        return promoted;
    }

    private Path tmpfs(Path mountPoint) throws IOException {
        Files.createDirectory(mountPoint);
        var undo = Watchdog.get().remember("umount '%1$s' || umount -l '%1$s'".formatted(mountPoint));
        Programs.run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mountPoint.toString());
        AutoCloseable unmounting = () -> {
            Programs.run("umount", mountPoint.toString());
            undo.close();
        };
        var unused = made.keep(unmounting);
        return mountPoint;
    }

    @Override
    public void close() throws IOException {
        made.close();
    }
}
