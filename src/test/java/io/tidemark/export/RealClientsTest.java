package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Export.Access;
import io.tidemark.nativeblock.BlockKernels;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients of others, where they are installed: CI installs them, and asks that nothing here was skipped. */
class RealClientsTest {
    private static final int SIZE = 16 << 20;
    private static final int DATA_FROM = 3 << 20;
    private static final int DATA_BYTES = 5 << 20;
    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path folder;

    private Path disk = Path.of("");
    private final byte[] original = new byte[SIZE];

    @BeforeEach
    void makeDisk() throws Exception {
        byte[] data = new byte[DATA_BYTES];
        new Random(3).nextBytes(data);
        disk = folder.resolve("disk");
        try (var file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(SIZE);
            file.seek(DATA_FROM);
            file.write(data);
        }
        System.arraycopy(data, 0, original, DATA_FROM, DATA_BYTES);
    }

    /** What a program writes, once it has ended well. */
    static String run(String... command) throws Exception {
        assumeTrue(
                Stream.of("/usr/bin/", "/usr/local/bin/").anyMatch(place -> Files.exists(Path.of(place + command[0]))),
                command[0] + " is not installed: NOT TESTED WITH IT");
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue())
                    .as("%s: %s", List.of(command), output)
                    .isZero();
            return output;
        } finally {
            process.destroyForcibly();
        }
    }

    private TestServer server(boolean named) throws Exception {
        return new TestServer(folder, disk, named, 1 << 20);
    }

    @Test
    void qemuImgReadsASnapshotByteForByte() throws Exception {
        for (boolean named : new boolean[] {true, false}) {
            try (var server = server(named).with(Access.READ_ONLY)) {
                var copy = folder.resolve("copy-" + named);

                run("qemu-img", "convert", "-O", "raw", server.uri(TestServer.READ_ONLY), copy.toString());

                assertThat(copy).hasBinaryContent(original);
            }
        }
    }

    @Test
    void nbdcopyReadsOverSeveralConnectionsAndWritesBack() throws Exception {
        try (var server = server(true).with(Access.READ_ONLY).with(Access.OVERLAY)) {
            var copy = folder.resolve("copy");
            run("nbdcopy", server.uri(TestServer.READ_ONLY), copy.toString());
            assertThat(copy).hasBinaryContent(original);

            run("qemu-img", "compare", "-f", "raw", "-F", "raw", server.uri(TestServer.OVERLAY), copy.toString());
        }
    }

    @Test
    void nbdinfoSeesWhatTheExportCanDoAndWhereItsDataIs() throws Exception {
        try (var server = server(true).with(Access.READ_ONLY).with(Access.WRITABLE)) {
            assertThat(run("nbdinfo", server.uri(TestServer.READ_ONLY)))
                    .contains("export-size: " + SIZE)
                    .contains("is_read_only: true")
                    .contains("can_multi_conn: true")
                    .contains("base:allocation");
            assertThat(run("nbdinfo", server.uri(TestServer.WRITABLE)))
                    .contains("is_read_only: false")
                    .contains("can_trim: true")
                    .contains("can_fua: true");
            assumeTrue(BlockKernels.hostCalls().isPresent(), "without the native library all is data");
            assertThat(run("nbdinfo", "--map", server.uri(TestServer.READ_ONLY)).lines())
                    .hasSize(3)
                    .element(1)
                    .asString()
                    .matches("\\s*%d\\s+%d\\s+0\\s+data".formatted(DATA_FROM, DATA_BYTES));
        }
    }

    @Test
    void whatIsWrittenToAnOverlayIsReadBackAndThrownAway() throws Exception {
        try (var server = server(true).with(Access.OVERLAY)) {
            var uri = server.uri(TestServer.OVERLAY);
            run("qemu-io", "-f", "raw", "-c", "write -P 7 4195000 70000", "-c", "write -z 0 4k", "-c", "flush", uri);

            assertThat(run("qemu-io", "-f", "raw", "-c", "read -P 7 4195000 70000", "-c", "read -P 0 0 4k", uri))
                    .doesNotContain("failed");
            assertThat(server.exports.all().getFirst().ownBytes()).isBetween(70_000L, 80_000L);
        }

        assertThat(disk).hasBinaryContent(original);
        assertThat(folder).isDirectoryNotContaining("glob:**.overlay");
    }

    @Test
    void anOverlayThatIsFullRefusesAndServesOn() throws Exception {
        try (var server = server(true).with(Access.OVERLAY)) {
            var output = run(
                    "sh",
                    "-c",
                    "qemu-io -f raw -c 'write 0 2M' '%s' 2>&1; true".formatted(server.uri(TestServer.OVERLAY)));

            assertThat(output).contains("No space left on device");
            run("qemu-io", "-f", "raw", "-c", "read 0 1M", server.uri(TestServer.OVERLAY));
        }
    }

    @Test
    void aVolumeIsWrittenInPlace() throws Exception {
        for (boolean named : new boolean[] {true, false}) {
            try (var server = server(named).with(Access.WRITABLE)) {
                run(
                        "qemu-io",
                        "-f",
                        "raw",
                        "-c",
                        "write -f -P 9 1M 64k",
                        "-c",
                        "discard 4M 64k",
                        "-c",
                        "write -z 5M 4k",
                        server.uri(TestServer.WRITABLE));
            }
            byte[] now = Files.readAllBytes(disk);
            assertThat(now[1 << 20]).isEqualTo((byte) 9);
            assertThat(now[(1 << 20) + 65_535]).isEqualTo((byte) 9);
            assertThat(now[5 << 20]).isZero();
        }
    }

    @Test
    void fioVerifiesWhatItWroteAtRandom() throws Exception {
        try (var server = server(true).with(Access.WRITABLE)) {
            run(
                    "fio",
                    "--name=verify",
                    "--ioengine=nbd",
                    "--uri=" + server.uri(TestServer.WRITABLE),
                    "--rw=randwrite",
                    "--bsrange=512-128k",
                    "--size=" + SIZE,
                    "--iodepth=32",
                    "--verify=crc32c",
                    "--verify_state_save=0",
                    "--fsync=50",
                    "--randseed=5");
        }
    }

    @Test
    void aRemovedExportEndsItsClients() throws Exception {
        try (var server = server(true).with(Access.READ_ONLY)) {
            assertThat(server.exports.close(TestServer.READ_ONLY, () -> {})).isEqualTo(ExportHost.Closing.ENDED);

            assertThat(run("sh", "-c", "nbdinfo '%s' 2>&1 || true".formatted(server.uri(TestServer.READ_ONLY))))
                    .contains("No such file or directory");
            assertThat(server.exports.close(TestServer.READ_ONLY, () -> {})).isEqualTo(ExportHost.Closing.NONE);
        }
    }

    @Test
    void whatWasFlushedIsThereAfterAKill() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/qemu-io")), "qemu-io is not installed: NOT TESTED WITH IT");
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var process = new ProcessBuilder(
                        java,
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        TestServer.class.getName(),
                        folder.resolve("s").toString(),
                        disk.toString())
                .redirectErrorStream(true)
                .start();
        try (var lines = process.inputReader()) {
            String line = lines.readLine();
            while (line != null && !line.startsWith("ready")) {
                line = lines.readLine();
            }
            var uri = "nbd+unix:///%s?socket=%s".formatted(TestServer.WRITABLE, folder.resolve("s/nbd.sock"));
            run("qemu-io", "-f", "raw", "-c", "write -P 5 1M 1M", "-c", "flush", uri);
            var writer = new ProcessBuilder(
                            "sh", "-c", "while qemu-io -f raw -c 'write -P 6 2M 8M' '%s'; do :; done".formatted(uri))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                Thread.sleep(300);
                process.destroyForcibly().waitFor();
            } finally {
                writer.destroyForcibly();
            }
        } finally {
            process.destroyForcibly();
        }

        byte[] now = Files.readAllBytes(disk);
        for (int at = 1 << 20; at < 2 << 20; at++) {
            assertThat(now[at]).isEqualTo((byte) 5);
        }
    }
}
