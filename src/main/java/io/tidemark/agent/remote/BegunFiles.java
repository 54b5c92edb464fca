package io.tidemark.agent.remote;

import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One file for each piece of long work, {@code begun/ID.json} in the state folder; written whole or not at all. */
final class BegunFiles {
    private static final Logger LOG = LoggerFactory.getLogger(BegunFiles.class);
    private static final String FOLDER = "begun";
    private static final String END = ".json";
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,100}");
    private static final String UNFINISHED_END = ".new";

    /** The limit of them; at it, the oldest tenth of those that have ended is forgotten. */
    static final int FILES_MAXIMUM = 10_000;

    private final Path folder;
    private final int maximum;

    /**
     * What is known of one.
     *
     * @param what the command, as it came
     * @param done whether it has come to its volume; false of what has failed, so that the software before, which knows no
     *     failure, takes it for what it must not begin again
     * @param handle under which the storage goes on with it
     * @param failure what it ended with; empty in files of the software before
     */
    record Known(String what, boolean done, Optional<Handle> handle, Optional<ProviderError> failure) {
        boolean ended() {
            return done || failure.isPresent();
        }
    }

    private record Aged(Path file, long millis) {}

    BegunFiles(Path folder, int maximum) {
        this.folder = folder;
        this.maximum = maximum;
    }

    static BegunFiles in(Path stateFolder) throws IOException {
        var folder = Files.createDirectories(stateFolder.resolve(FOLDER));
        try (var unfinished = Files.newDirectoryStream(folder, "*" + UNFINISHED_END)) {
            for (var file : unfinished) {
                Files.deleteIfExists(file);
            }
        }
        return new BegunFiles(folder, FILES_MAXIMUM);
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

    /** @throws ProviderException Unexpected, or Conflict at the limit; what was known before is known still */
    void write(String work, Known known) throws ProviderException {
        Path fresh = folder.resolve(work + UNFINISHED_END);
        try {
            boolean another = !Files.exists(file(work));
            if (another) {
                makeRoom(work);
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

    /**
     * Never by their age: a clock that jumps makes all of them old, those too that a controller asks for now. Never one
     * that has not ended: it would be begun again.
     */
    private synchronized void makeRoom(String work) throws IOException, ProviderException {
        var all = all();
        if (all.size() < maximum) {
            return;
        }
        all.sort(Comparator.comparingLong(Aged::millis));
        int surplus = all.size() + 1 - maximum + maximum / 10;
        int forgotten = 0;
        for (var one : all) {
            if (forgotten < surplus && hasEnded(one.file())) {
                Files.deleteIfExists(one.file());
                forgotten++;
            }
        }
        if (all.size() - forgotten >= maximum) {
            throw new ProviderException(new ProviderError.Conflict(
                    "work " + work,
                    "%d pieces of long work have not ended at this agent, the limit: look at what they name, and remove the files of those that have from %s"
                            .formatted(all.size() - forgotten, folder)));
        }
    }

    private List<Aged> all() throws IOException {
        var all = new ArrayList<Aged>();
        try (var files = Files.newDirectoryStream(folder, "*" + END)) {
            for (var file : files) {
                try {
                    all.add(new Aged(file, Files.getLastModifiedTime(file).toMillis()));
                } catch (NoSuchFileException e) {
                    LOG.debug("agent.begun_file_gone file={}", file);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return all;
    }

    /** One that is damaged may be of work in progress. */
    private static boolean hasEnded(Path file) {
        try {
            return AgentJson.read(AgentJson.parse(Files.readString(file)), Known.class)
                    .ended();
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    private static ProviderException failed(Path file, Exception cause) {
        return new ProviderException(
                new ProviderError.Unexpected("what is known of long work, " + file, String.valueOf(cause.getMessage())),
                cause);
    }
}
