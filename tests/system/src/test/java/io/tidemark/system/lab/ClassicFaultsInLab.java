package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Classic snapshots that overflow, and cuts whose process dies before what it asks of the device mapper. */
@InLab
class ClassicFaultsInLab {
    private static final String GROUP = "vg-1";
    /** A cut of two volumes has fewer calls: it comes to its end, and all is cut. */
    private static final int CALLS_MAXIMUM = 30;

    /** Of 20 calls, by default: before anything, in the reset, before the first snapshot begins, when both are marked. */
    private static final int CALLS_FIRST = 1;

    private static final int CALLS_STEP = Integer.getInteger("tidemark.lab.calls", 6);
    /** Of each number of volumes; the first one of a process takes longest. */
    private static final int CUTS = Integer.getInteger("tidemark.lab.cuts", 1);

    private static final List<String> NAMES = List.of("a.1", "b-2");
    private static final List<VolumeId> BOTH =
            NAMES.stream().map(name -> VolumeId.of("lvm", GROUP + "/" + name)).toList();

    private String disk = "";
    private StorageProvider provider;

    @SuppressWarnings("NullAway.Init") // opened before every test
    ClassicFaultsInLab() {}

    @BeforeEach
    void makeVolumes() throws Exception {
        disk = LabPool.nextDisk();
        Programs.run("pvcreate", "-q", "-y", disk);
        Programs.run("vgcreate", "-q", "-s", "1M", GROUP, disk);
        for (var name : NAMES) {
            Programs.run("lvcreate", "-q", "-y", "-L", "16M", "-n", name, GROUP);
        }
        open();
    }

    private void open() throws Exception {
        provider = new LvmProviderFactory().create(Map.of("group", GROUP));
    }

    @AfterEach
    void removeGroup() throws IOException {
        provider.close();
        Programs.run("vgremove", "-q", "-f", "-y", GROUP);
    }

    private static ProviderError errorOf(ThrowingCall call) {
        try {
            call.run();
        } catch (ProviderException e) {
            return e.error();
        }
        throw new AssertionError("it did not fail");
    }

    private interface ThrowingCall {
        void run() throws ProviderException;
    }

    @Test
    void overflowedSnapshotIsInvalidAndItsVolumeWorksOn() throws Exception {
        var volume = BOTH.getFirst();
        var lost = LabPool.cut(provider, volume, "rp-lost");
        provider.hold(lost, new HoldOwner("test"));
        LabPool.fill(provider, volume, 0, 16, 1);
        assertThat(provider.forecast(BOTH).notes().getFirst()).contains("of its store in use");

        LabPool.fill(provider, volume, 16, 200, 2);

        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).isEmpty();
        assertThat(provider.readiness(lost))
                .isInstanceOfSatisfying(
                        Readiness.Failed.class,
                        failed -> assertThat(failed.error().message())
                                .contains("invalid: its exception store of 4194304 bytes overflowed"));
        assertThat(errorOf(() -> provider.read(lost).close())).isInstanceOf(ProviderError.Corrupt.class);
        assertThat(errorOf(() -> provider.changedRanges(lost, lost).close())).isInstanceOf(ProviderError.Corrupt.class);
        assertThat(provider.forecast(BOTH).notes().getFirst()).contains("has overflowed");
        assertThatThrownBy(() -> provider.remove(volume)).hasMessageContaining("classic snapshots");
        var next = LabPool.cut(provider, volume, "rp-next");
        LabPool.fill(provider, volume, 0, 1, 3);
        assertThat(LabPool.valueOf(provider, next, 16, 100)).isEqualTo(2);
        assertThat(errorOf(() -> provider.delete(lost))).isInstanceOf(ProviderError.Held.class);
        provider.release(lost, new HoldOwner("test"));
        var unused = provider.delete(lost);
        assertThat(LabPool.valueOf(provider, next, 0, 1)).isEqualTo(1);
        assertThat(errorOf(() -> provider.readiness(lost))).isInstanceOf(ProviderError.SnapshotNotFound.class);
    }

    @Test
    void volumeThatIsNotActiveIsNotCutAndItsSnapshotsAreRefused() throws Exception {
        var snapshot = LabPool.cut(provider, BOTH.getFirst(), "rp-1");
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(1);
        Programs.run("lvchange", "-an", GROUP + "/" + NAMES.getFirst());

        assertThat(errorOf(() -> LabPool.cut(provider, BOTH.getFirst(), "rp-2")).message())
                .contains("lvchange -ay vg-1/a.1");
        assertThat(errorOf(() -> provider.read(snapshot).close()).message()).contains("lvchange -ay vg-1/a.1");
    }

    /** Each time what was cut is listed and of the cut, what was not is gone, and the volumes can be written. */
    @Test
    void processThatDiesInACutLeavesWhatIsMarkedAndNothingSuspended() throws Exception {
        int killed = 0;
        int listed = 0;
        boolean ended = false;
        for (int call = CALLS_FIRST; !ended && call < CALLS_MAXIMUM; call += CALLS_STEP) {
            for (var volume : BOTH) {
                LabPool.fill(provider, volume, 0, 4, call);
            }
            provider.close();
            ended = cutKilledAtCall("rp-" + call, call);
            killed += ended ? 0 : 1;
            // The sentinel's work, not the next open's.
            assertThat(suspended()).as("call %d", call).isEmpty();

            open();

            assertThat(suspended()).as("call %d", call).isEmpty();
            assertThat(Programs.run("lvs", "--noheadings", "-o", "tags", GROUP)).doesNotContain("tidemark.prepared");
            var all = provider.snapshots(SnapshotQuery.everything()).snapshots();
            assertThat(Programs.run("lvs", "--noheadings", "-o", "name", "-S", "origin!=\"\"", GROUP)
                            .lines()
                            .filter(line -> !line.isBlank()))
                    .as("call %d", call)
                    .hasSameSizeAs(all);
            if (ended) {
                assertThat(all).hasSize(2);
            }
            System.out.printf("lab: killed at call %d: %d snapshots listed%n", call, all.size());
            for (var volume : BOTH) {
                LabPool.fill(provider, volume, 0, 4, 100);
            }
            for (var snapshot : all) {
                listed++;
                assertThat(LabPool.valueOf(provider, snapshot.id(), 0, 4)).isEqualTo(call);
                var unused = provider.delete(snapshot.id());
            }
        }
        System.out.printf("lab: killed in %d cuts of two volumes, of which %d snapshots are listed%n", killed, listed);
        assertThat(ended).isTrue();
        assertThat(killed).isPositive();
    }

    /**
     * Killed after one of its writes and before the next one. Then the host boots, which does not make the volume usable; the
     * next process ends the rollback, and the snapshot cut after the one it goes back to has kept what is overwritten.
     */
    @Test
    void rollbackWhoseProcessDiesIsEndedByTheNextOne() throws Exception {
        var volume = BOTH.getFirst();
        LabPool.fill(provider, volume, 0, 40, 1);
        var older = LabPool.cut(provider, volume, "rp-older");
        LabPool.fill(provider, volume, 0, 40, 2);
        var newer = LabPool.cut(provider, volume, "rp-newer");
        provider.close();
        var main = start(ClassicRollbackMain.class, GROUP, NAMES.getFirst(), "rp-older");
        assertThat(endedBefore(main, "rolled back", List.of("-P", device(), "-e", "trace=pwrite64"), "pwrite64", 2))
                .isFalse();
        assertThat(Programs.run("lvs", "--noheadings", "-o", "tags", GROUP + "/" + NAMES.getFirst()))
                .contains("tidemark.restoring=rp-older");
        Programs.run("vgchange", "-an", GROUP);
        Programs.run("vgchange", "-ay", GROUP);
        assertThat(Path.of(device())).as("usable after a boot").doesNotExist();

        open();
        Step<?> step = provider.rollback(older);
        while (step instanceof Step.Running<?> running) {
            Thread.sleep(running.askAgainAfter());
            step = provider.resume(running.handle());
        }

        assertThat(Programs.run("lvs", "--noheadings", "-o", "tags,lv_skip_activation", GROUP + "/" + NAMES.getFirst()))
                .isBlank();
        assertThat(LabPool.valueOf(provider, newer, 0, 40)).isEqualTo(2);
        assertThat(LabPool.valueOf(provider, older, 0, 40)).isEqualTo(1);
        assertThat(LabPool.valueOf(provider, LabPool.cut(provider, volume, "rp-after"), 0, 40))
                .isEqualTo(1);
    }

    private static String device() {
        return "/dev/mapper/" + GROUP.replace("-", "--") + "-" + NAMES.getFirst();
    }

    @Test
    void rollbackThatWouldOverflowAnotherSnapshotIsRefused() throws Exception {
        var volume = BOTH.getFirst();
        var older = LabPool.cut(provider, volume, "rp-older");
        // Of one size a newer one always has room, for what it has kept the older one has kept too.
        var store = Programs.run("lvs", "--noheadings", "-o", "name", "-S", "origin!=\"\"", GROUP)
                .strip();
        Programs.run("lvextend", "-q", "-L", "8M", GROUP + "/" + store);
        LabPool.fill(provider, volume, 0, 40, 1);
        LabPool.cut(provider, volume, "rp-newer");
        // Of 63 that its store can keep.
        LabPool.fill(provider, volume, 100, 40, 1);
        var log = Programs.run("lvs", "--noheadings", "-o", "tags", GROUP);

        var error = errorOf(() -> provider.rollback(older));

        assertThat(error).isInstanceOf(ProviderError.OutOfSpace.class);
        assertThat(error.message()).contains("lvextend");
        assertThat(Programs.run("lvs", "--noheadings", "-o", "tags", GROUP)).isEqualTo(log);
        assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots()).hasSize(2);
    }

    /** Prints for how long each volume was held, of one and of three; nothing is asserted of that. */
    @Test
    void oneAndThreeVolumesAreCutAndTheHoldIsTold() throws Exception {
        Programs.run("lvcreate", "-q", "-y", "-L", "16M", "-n", "c", GROUP);
        var three = List.of(BOTH.getFirst(), BOTH.getLast(), VolumeId.of("lvm", GROUP + "/c"));
        for (var volumes : List.of(three.subList(0, 1), three)) {
            for (int count = 0; count < CUTS; count++) {
                cutBesideAWriter(
                        new CutRequest(new RecoveryPointId("rp-%dx%d".formatted(volumes.size(), count)), volumes));
            }
        }
    }

    private void cutBesideAWriter(CutRequest request) throws Exception {
        provider.prepare(request);
        Cut cut;
        long tookNanos;
        long longestNanos;
        try (var writer = AlternatingWriter.start(
                device(request.volumes().getFirst()), device(request.volumes().getLast()))) {
            writer.awaitMore(20);
            long started = System.nanoTime();
            cut = provider.cut(request);
            tookNanos = System.nanoTime() - started;
            writer.awaitMore(20);
            longestNanos = writer.longestNanos();
        }
        System.out.printf(
                "lab: cut of %d classic volumes: %.2f ms in all, suspended to marked %s ms, longest two writes %.2f ms%n",
                request.volumes().size(),
                tookNanos / 1e6,
                cut.members().stream()
                        .map(member -> "%.2f".formatted((member.finishedNanos() - member.startedNanos()) / 1e6))
                        .toList(),
                longestNanos / 1e6);
        assertThat(cut.members()).hasSameSizeAs(request.volumes());
        for (var member : cut.members()) {
            var unused = provider.delete(member.snapshot().id());
        }
    }

    private Path device(VolumeId volume) throws ProviderException {
        return provider.volume(volume).device().orElseThrow();
    }

    /** Whether the process came to the end of the cut: not where it was about to ask the device mapper for the nth time. */
    private static boolean cutKilledAtCall(String point, int nth) throws Exception {
        var arguments = new ArrayList<>(List.of(GROUP, point));
        arguments.addAll(NAMES);
        var main = start(ClassicCutMain.class, arguments.toArray(String[]::new));
        return endedBefore(main, "cut", List.of("-P", "/dev/mapper/control", "-e", "trace=ioctl"), "ioctl", nth);
    }

    /** A process that says that it is prepared, and goes on once it is told a line. */
    private static Process start(Class<?> main, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Whether the process said its last word; it is killed as it is about to do the nth of the calls that are traced. */
    private static boolean endedBefore(Process process, String word, List<String> traced, String call, int nth)
            throws Exception {
        try (var said = process.inputReader();
                var told = process.outputWriter()) {
            assertThat(said.readLine()).isEqualTo("prepared");
            var tracer = trace(process.pid(), traced, "inject=%s:signal=KILL:when=%d".formatted(call, nth));
            told.write('\n');
            told.flush();
            boolean ended = word.equals(said.readLine());
            process.waitFor();
            tracer.waitFor();
            return ended;
        } finally {
            process.destroyForcibly();
        }
    }

    /** Only from here on: a JVM that is traced from its start takes a minute. */
    private static Process trace(long pid, List<String> traced, String fault) throws Exception {
        var command = new ArrayList<>(List.of("strace", "-f", "-o", "/dev/null"));
        command.addAll(traced);
        command.addAll(List.of("-e", fault, "-p", String.valueOf(pid)));
        var tracer = new ProcessBuilder(command).redirectErrorStream(true).start();
        // "Process N attached with M threads"
        assertThat(tracer.inputReader().readLine()).contains("attached");
        return tracer;
    }

    private static List<String> suspended() throws IOException {
        return Programs.run("dmsetup", "info", "-c", "--noheadings", "--separator", "/", "-o", "name,suspended")
                .lines()
                .filter(line -> line.endsWith("/Suspended"))
                .toList();
    }
}
