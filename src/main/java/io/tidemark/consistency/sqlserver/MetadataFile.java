package io.tidemark.consistency.sqlserver;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/**
 * What the server wrote for restoring from the cut: small, without rows. It is kept as text, compressed and in base64.
 *
 * @param path as the server names it
 * @param local whether the server is on this host, so that the file may be read and removed here
 */
record MetadataFile(String path, boolean local) {
    /** {@code base64 -d | gunzip} makes the file of it. */
    static final String EVIDENCE = "sqlserver_metadata.bkm.gz.base64";

    private static final int BYTES_MAXIMUM = 64 << 20;
    private static final int TEXT_MAXIMUM = 1 << 20;

    /**
     * Reads it, and removes it where it was read on this host: it is kept with the recovery point from then on. What
     * becomes of it is told in the facts; one that was not kept stays where it is.
     *
     * @param facts to which is added where it is, and why
     * @return empty where it could not be kept
     */
    Optional<String> take(SqlServerSession session, Map<String, String> facts) {
        facts.put("metadataFile", path);
        try {
            var here = local
                    && Files.isRegularFile(Path.of(path), LinkOption.NOFOLLOW_LINKS)
                    && Files.isReadable(Path.of(path));
            var bytes = here
                    ? ofThisHost()
                    : session.fileOfServer(path, BYTES_MAXIMUM)
                            .orElseThrow(() -> new IOException("the server does not give it"));
            var text = text(bytes);
            if (here) {
                remove(facts);
            } else {
                facts.put("metadata", "kept with the recovery point; its file on the server is not needed any more");
            }
            return Optional.of(text);
        } catch (IOException | SQLException e) {
            facts.put("metadata", "left on the server, restoring needs it: " + SqlServerFailures.reason(e));
            return Optional.empty();
        }
    }

    /** A link that the server's account put there would lead the service to files which that account may not read. */
    private byte[] ofThisHost() throws IOException {
        try (var in = Files.newInputStream(Path.of(path), LinkOption.NOFOLLOW_LINKS)) {
            return in.readNBytes(BYTES_MAXIMUM + 1);
        }
    }

    private static String text(byte[] bytes) throws IOException {
        if (bytes.length == 0 || bytes.length > BYTES_MAXIMUM) {
            throw new IOException("it is empty, or larger than %d bytes".formatted(BYTES_MAXIMUM));
        }
        var compressed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(compressed)) {
            gzip.write(bytes);
        }
        var text = Base64.getEncoder().encodeToString(compressed.toByteArray());
        if (text.length() > TEXT_MAXIMUM) {
            throw new IOException(
                    "compressed it takes %d characters, at most %d are kept".formatted(text.length(), TEXT_MAXIMUM));
        }
        return text;
    }

    private void remove(Map<String, String> facts) {
        try {
            Files.delete(Path.of(path));
            facts.put("metadata", "kept with the recovery point; its file was removed");
        } catch (IOException e) {
            facts.put("metadata", "kept with the recovery point; its file could not be removed: " + e.getMessage());
        }
    }
}
