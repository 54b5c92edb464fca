package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.HoldOwner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Readiness;
import io.tidemark.spi.SnapshotQuery;
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

    /** Whether the process came to the end of the cut: not where it was about to ask the device mapper for the nth time. */
    private static boolean cutKilledAtCall(String point, int nth) throws Exception {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                ClassicCutMain.class.getName(),
                GROUP,
                point));
        command.addAll(NAMES);
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var said = process.inputReader();
                var told = process.outputWriter()) {
            assertThat(said.readLine()).isEqualTo("prepared");
            var tracer = trace(process.pid(), nth);
            told.write('\n');
            told.flush();
            boolean ended = "cut".equals(said.readLine());
            process.waitFor();
            tracer.waitFor();
            return ended;
        } finally {
            process.destroyForcibly();
        }
    }

    /** Only from here on: a JVM that is traced from its start takes a minute. */
    private static Process trace(long pid, int nth) throws Exception {
        var command = new ArrayList<>(List.of("strace", "-f", "-o", "/dev/null", "-P", "/dev/mapper/control"));
        command.addAll(List.of("-e", "trace=ioctl", "-e", "inject=ioctl:signal=KILL:when=" + nth));
        command.addAll(List.of("-p", String.valueOf(pid)));
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
