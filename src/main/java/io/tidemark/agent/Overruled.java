package io.tidemark.agent;

import io.tidemark.domain.LinkId;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The recovery points of a target that a resync has set aside, one id a line, in a file beside the link's log. They
 * are not deleted; they only make the target diverge no more. Its loss costs another resync.
 */
final class Overruled {
    private Overruled() {}

    /** Empty when no resync was ever asked for. */
    static Set<RecoveryPointId> read(Path folder, LinkId link) throws ReplicationException {
        Path file = file(folder, link);
        try {
            var ids = new HashSet<RecoveryPointId>();
            for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
                ids.add(new RecoveryPointId(line));
            }
            return ids;
        } catch (NoSuchFileException e) {
            return Set.of();
        } catch (IOException | IllegalArgumentException e) {
            throw failed(file, e);
        }
    }

    /** Durable on return. */
    static void write(Path folder, LinkId link, List<RecoveryPointId> points) throws ReplicationException {
        Path file = file(folder, link);
        Path fresh = folder.resolve(link + ".overruled.new");
        String text = points.stream().map(point -> point.value() + "\n").collect(Collectors.joining());
        try {
            try (var channel = FileChannel.open(
                    fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            IngestLog.syncFolder(file);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    static void delete(Path folder, LinkId link) throws IOException {
        Files.deleteIfExists(file(folder, link));
    }

    private static Path file(Path folder, LinkId link) {
        return folder.resolve(link + ".overruled");
    }

    private static ReplicationException failed(Path file, Exception e) {
        return new ReplicationException(new ReplicationError.State(file.toString(), String.valueOf(e.getMessage())), e);
    }
}
