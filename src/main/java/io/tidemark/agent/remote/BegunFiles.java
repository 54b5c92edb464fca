package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** One file for each piece of long work, {@code begun/ID.json} in the state folder; written whole or not at all. */
final class BegunFiles {
    private static final String FOLDER = "begun";
    private static final String END = ".json";
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,100}");
    /** A controller asks for as long as its operation lasts: seven days of waiting, and two of work. */
    private static final Duration KEPT = Duration.ofDays(30);

    static final int FILES_MAXIMUM = 10_000;

    private final Path folder;
    private final int maximum;

    /**
     * What is known of one.
     *
     * @param what the command, as it came
     * @param handle under which the storage goes on with it
     */
    record Known(String what, boolean done, Optional<Handle> handle) {}

    private record Aged(Path file, long millis) {}

    BegunFiles(Path folder, int maximum) {
        this.folder = folder;
        this.maximum = maximum;
    }

    static BegunFiles in(Path stateFolder) throws IOException {
        return new BegunFiles(Files.createDirectories(stateFolder.resolve(FOLDER)), FILES_MAXIMUM);
    }

    /** @throws IllegalArgumentException where it is none */
    static void checkId(String work) {
        if (!ID.matcher(work).matches()) {
            throw new IllegalArgumentException("an id of work has the form %s".formatted(ID.pattern()));
        }
    }

    private Path file(String work) {
        return folder.resolve(work + END);
    }

    /** @throws ProviderException Unexpected where it cannot be read, or is damaged */
    Optional<Known> find(String work) throws ProviderException {
        try {
            return Optional.of(AgentJson.read(AgentJson.parse(Files.readString(file(work))), Known.class));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            throw failed(file(work), e);
        }
    }

    /** @throws ProviderException Unexpected; what was known before is known still */
    void write(String work, Known known) throws ProviderException {
        Path fresh = folder.resolve(work + ".new");
        try {
            boolean another = !Files.exists(file(work));
            if (another) {
                forget();
            }
            try (var channel = FileChannel.open(
                    fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                var bytes =
                        ByteBuffer.wrap(AgentJson.text(AgentJson.tree(known)).getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(fresh, file(work), StandardCopyOption.ATOMIC_MOVE);
            sync();
        } catch (IOException e) {
            throw failed(file(work), e);
        }
    }

    void remove(String work) throws ProviderException {
        try {
            Files.deleteIfExists(file(work));
            sync();
        } catch (IOException e) {
            throw failed(file(work), e);
        }
    }

    private void sync() throws IOException {
        try (var directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    /** Those that nobody asks for any more; at the limit the oldest of all. Beside another that does so it loses none twice. */
    private synchronized void forget() throws IOException {
        var all = new ArrayList<Aged>();
        try (var files = Files.newDirectoryStream(folder)) {
            for (var file : files) {
                all.add(new Aged(file, Files.getLastModifiedTime(file).toMillis()));
            }
        } catch (NoSuchFileException e) {
            // Another has just removed or renamed one: it is looked for again with the next.
            return;
        }
        all.sort(Comparator.comparingLong(Aged::millis));
        long oldest = all.isEmpty() ? 0 : all.getLast().millis() - KEPT.toMillis();
        int surplus = Math.max(0, all.size() + 1 - maximum);
        List<Aged> surplusOnes = all.subList(0, surplus);
        for (var one : all) {
            if (one.millis() < oldest || surplusOnes.contains(one)) {
                Files.deleteIfExists(one.file());
            }
        }
    }

    private static ProviderException failed(Path file, Exception cause) {
        return new ProviderException(
                new ProviderError.Unexpected("what is known of long work, " + file, String.valueOf(cause.getMessage())),
                cause);
    }
}
