package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.attach.Attachment;
import io.tidemark.attach.Attachments;
import io.tidemark.domain.ExportId;
import io.tidemark.system.ground.Ground;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An export as a device of the kernel's own NBD client; another server plays the site, and dies. */
@InLab
class KernelNbdInLab {
    private static final Duration AWAY_LIMIT = Duration.ofMinutes(2);
    private static final int BYTES = 1 << 20;

    @Test
    void aDeviceOfTheKernelOutlivesItsServer() throws Exception {
        Ground.requireRootAnd("nbd-client", "nbdkit", "modprobe");
        Programs.run("modprobe", "nbd", "nbds_max=4");
        try (var ground = Ground.open()) {
            var disk = ground.folder().resolve("disk");
            Files.write(disk, new byte[16 << 20]);
            var socket = ground.folder().resolve("site.sock");
            var server = server(socket, disk);
            var attachments = new Attachments(ground.folder().resolve("attached"));
            var made = attachments.attach(new ExportId("ex-1"), socket, AWAY_LIMIT);
            assertThat(made.means()).isEqualTo(Attachment.Means.KERNEL_NBD);
            write(made.device(), 1);

            server.destroyForcibly().waitFor();
            Files.delete(socket);
            var again = server(socket, disk);
            write(made.device(), 2);
            attachments.detach(made, false);

            again.destroyForcibly().waitFor();
            byte[] expected = new byte[BYTES];
            Arrays.fill(expected, (byte) 2);
            assertThat(Arrays.copyOf(Files.readAllBytes(disk), BYTES)).isEqualTo(expected);
            assertThat(attachments.all()).isEmpty();
        }
    }

    private static void write(Path device, int value) throws IOException {
        byte[] bytes = new byte[BYTES];
        Arrays.fill(bytes, (byte) value);
        try (var channel = FileChannel.open(device, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(bytes));
            channel.force(true);
        }
    }

    private static Process server(Path socket, Path disk) throws IOException, InterruptedException {
        var process = new ProcessBuilder("nbdkit", "--foreground", "--unix", socket.toString(), "file", disk.toString())
                .inheritIO()
                .start();
        while (!Files.exists(socket)) {
            assertThat(process.isAlive()).isTrue();
            TimeUnit.MILLISECONDS.sleep(20);
        }
        return process;
    }
}
