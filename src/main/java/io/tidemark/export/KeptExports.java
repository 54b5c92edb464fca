package io.tidemark.export;

import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Exports that are opened again at the next start: a file each, {@code ID.export}, of lines {@code key=value}. */
final class KeptExports {
    private static final String ENDING = ".export";
    private static final String FORMAT = "1";
    private static final Logger LOG = LoggerFactory.getLogger(KeptExports.class);

    private final Path folder;

    /** @param folder exists */
    KeptExports(Path folder) {
        this.folder = folder;
    }

    /** Durable on return. */
    void keep(Export export) throws IOException {
        var lines = new Properties();
        lines.setProperty("format", FORMAT);
        lines.setProperty("source", export.source());
        lines.setProperty("access", export.access().name());
        lines.setProperty("createdAt", export.createdAt().toString());
        var text = new StringWriter();
        lines.store(text, null);
        var whole = file(export.id());
        var written = whole.resolveSibling(whole.getFileName() + ".new");
        try (var channel = FileChannel.open(
                written, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            var bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(written, whole, StandardCopyOption.ATOMIC_MOVE);
        syncFolder();
    }

    void forget(ExportId id) throws IOException {
        if (Files.deleteIfExists(file(id))) {
            syncFolder();
        }
    }

    private void syncFolder() throws IOException {
        try (var channel = FileChannel.open(folder)) {
            channel.force(true);
        }
    }

    private Path file(ExportId id) {
        return folder.resolve(id.value() + ENDING);
    }

    /** In order of id; one that cannot be read is told of and left out. */
    List<Export> all() throws IOException {
        var files = new ArrayList<Path>();
        try (var found = Files.newDirectoryStream(folder, "*" + ENDING)) {
            found.forEach(files::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        files.sort(null);
        var kept = new ArrayList<Export>();
        for (var file : files) {
            try {
                kept.add(read(file));
            } catch (IOException | IllegalArgumentException | DateTimeException e) {
                LOG.warn("export.not_kept file={} reason={}", file, e.getMessage());
            }
        }
        return List.copyOf(kept);
    }

    private static Export read(Path file) throws IOException {
        var lines = new Properties();
        lines.load(new StringReader(Files.readString(file)));
        if (!FORMAT.equals(lines.getProperty("format"))) {
            throw new IOException("format %s is not known, only %s".formatted(lines.getProperty("format"), FORMAT));
        }
        var name = file.getFileName().toString();
        return new Export(
                new ExportId(name.substring(0, name.length() - ENDING.length())),
                lines.getProperty("source", ""),
                Export.Access.valueOf(lines.getProperty("access", "")),
                Instant.parse(lines.getProperty("createdAt", "")));
    }
}
