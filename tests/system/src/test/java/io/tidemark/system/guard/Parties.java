package io.tidemark.system.guard;

import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The three processes that any of which thaws when it must. */
record Parties(ProcessHandle service, ProcessHandle guard, ProcessHandle sentinel, List<ProcessHandle> stopped) {
    private static final long POLL_MILLIS = 5;

    static Parties of(ProcessHandle service) {
        var guard = service.children().findFirst().orElseThrow(() -> new AssertionError("no guard runs"));
        var sentinel = guard.children().findFirst().orElseThrow(() -> new AssertionError("no sentinel runs"));
        return new Parties(service, guard, sentinel, new ArrayList<>());
    }

    void suffer(GuardTrial.Event event, Duration gap) throws IOException, InterruptedException {
        switch (event) {
            case SERVICE_KILLED -> service.destroyForcibly();
            case GUARD_KILLED -> guard.destroyForcibly();
            case SENTINEL_KILLED -> sentinel.destroyForcibly();
            case SERVICE_THEN_GUARD_KILLED -> kill(gap, service, guard);
            case GUARD_THEN_SERVICE_KILLED -> kill(gap, guard, service);
            case GUARD_THEN_SENTINEL_KILLED -> kill(gap, guard, sentinel);
            case SENTINEL_THEN_GUARD_KILLED -> kill(gap, sentinel, guard);
            case SERVICE_STOPPED -> stop(service);
            case GUARD_STOPPED -> stop(guard);
            case SENTINEL_STOPPED_GUARD_KILLED -> {
                stop(sentinel);
                guard.destroyForcibly();
            }
            case GUARD_TERMINATED -> guard.destroy();
            case SERVICE_TERMINATED -> service.destroy();
            case ALL_KILLED -> kill(Duration.ZERO, service, guard, sentinel);
            case NONE, CUT_OUTLASTS_THE_LIMIT, DISK_FULL, MEMORY_TIGHT -> {}
        }
    }

    private static void kill(Duration gap, ProcessHandle... victims) throws InterruptedException {
        for (int index = 0; index < victims.length; index++) {
            if (index > 0 && !gap.isZero()) {
                Thread.sleep(gap);
            }
            victims[index].destroyForcibly();
        }
    }

    private void stop(ProcessHandle victim) throws IOException {
        Programs.attempt(List.of("kill", "-STOP", Long.toString(victim.pid())));
        stopped.add(victim);
    }

    /** One that was killed meanwhile is none the worse for it. */
    void goOn() throws IOException {
        for (var each : stopped) {
            Programs.attempt(List.of("kill", "-CONT", Long.toString(each.pid())));
        }
    }

    /** One that is dead and not buried by whoever inherited it does not. */
    private static boolean runs(ProcessHandle handle) {
        if (!handle.isAlive()) {
            return false;
        }
        try {
            return !Files.readString(Path.of("/proc", Long.toString(handle.pid()), "stat"))
                    .contains(") Z ");
        } catch (IOException e) {
            // It was buried since the line above.
            return false;
        }
    }

    boolean guardsEnded(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (Stream.of(guard, sentinel).anyMatch(Parties::runs)) {
            if (System.nanoTime() - deadline >= 0) {
                guard.destroyForcibly();
                sentinel.destroyForcibly();
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }
}
