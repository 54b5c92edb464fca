package io.tidemark.agent;

import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.Capability;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotReader;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a tree of files is, as text, one line an entry in order of names: two trees are alike when their manifests are.
 * Lines: mode in octal, owner, group, links, size, device number, time of last change, SHA-256 of the content (of a
 * symbolic link: of where it leads), SHA-256 of the {@code user.} attributes, path. Not told: times of last access,
 * inode numbers, other attributes. A folder's size and links are the storage's matter and left out, and so is the empty
 * folder that stands in a Btrfs snapshot where a nested subvolume was. When the root itself was changed is left out too:
 * {@code btrfs send} tells it before it fills the root.
 */
final class TreeManifest {
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int FORMAT_MASK = 0170000;
    private static final int FOLDER = 0040000;
    private static final int REGULAR = 0100000;
    private static final int SYMBOLIC_LINK = 0120000;
    /** {@code BTRFS_EMPTY_SUBVOL_DIR_OBJECTID}, {@code linux/btrfs_tree.h}. */
    private static final long EMPTY_SUBVOLUME_INODE = 2;

    private static final String NOTHING = "-";

    private final Path root;
    private final OutputStream lines;
    private final ImageTree.Watch watch;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final MessageDigest sha256 = sha256();
    private long readBytes;

    private TreeManifest(Path root, OutputStream lines, ImageTree.Watch watch) {
        this.root = root;
        this.lines = lines;
        this.watch = watch;
    }

    /** What is compared of a snapshot: its blocks, or of files its manifest, which is made now. */
    static SnapshotReader orBlocks(Providers providers, SnapshotId snapshot, ImageTree.Watch watch)
            throws ProviderException, ReplicationException {
        var provider = providers.of(snapshot.volume());
        boolean files = provider.volume(snapshot.volume()).can(Capability.FILES);
        return files && provider instanceof FileTrees trees ? of(trees.tree(snapshot), watch) : provider.read(snapshot);
    }

    /**
     * Reads all files of the tree; closing the answer closes the tree. The manifest lies in an unnamed file in the
     * folder for temporary files, about 250 bytes an entry.
     */
    static SnapshotReader of(FileTrees.SnapshotTree tree, ImageTree.Watch watch)
            throws ProviderException, ReplicationException {
        boolean made = false;
        FileChannel file = null;
        try {
            var name = Files.createTempFile("tidemark-manifest-", null);
            file = FileChannel.open(
                    name, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
            var lines = new BufferedOutputStream(Channels.newOutputStream(file), BUFFER_BYTES);
            new TreeManifest(tree.root(), lines, watch).folder(Told.of(tree.root()));
            lines.flush();
            var reader = new Manifest(file, file.size(), tree);
            made = true;
            return reader;
        } catch (IOException e) {
            throw failed(tree.root(), e);
        } finally {
            if (!made) {
                close(file, tree);
            }
        }
    }

    private static void close(@Nullable FileChannel file, FileTrees.SnapshotTree tree) throws ProviderException {
        try (tree) {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            throw failed(tree.root(), e);
        }
    }

    private static ProviderException failed(Path what, IOException e) {
        return new ProviderException(new ProviderError.Unexpected("reading the files of " + what, e.toString()), e);
    }

    /** What the host tells of an entry, a link itself and not where it leads. */
    private record Told(Path entry, Map<String, Object> attributes) {
        static Told of(Path entry) throws IOException {
            return new Told(entry, Files.readAttributes(entry, "unix:*", LinkOption.NOFOLLOW_LINKS));
        }

        Object of(String name) {
            return Objects.requireNonNull(attributes.get(name), name);
        }

        int format() {
            return (int) of("mode") & FORMAT_MASK;
        }
    }

    /** The folder itself, then what is in it, folders with all that is in them. */
    private void folder(Told folder) throws IOException, ReplicationException {
        line(folder, NOTHING);
        for (var path : entries(folder.entry())) {
            var entry = Told.of(path);
            switch (entry.format()) {
                case FOLDER -> {
                    if (!entry.of("ino").equals(EMPTY_SUBVOLUME_INODE)) {
                        folder(entry);
                    }
                }
                case REGULAR -> line(entry, content(path));
                case SYMBOLIC_LINK ->
                    line(entry, hex(Files.readSymbolicLink(path).toString().getBytes(StandardCharsets.UTF_8)));
                default -> line(entry, NOTHING);
            }
        }
    }

    private static List<Path> entries(Path folder) throws IOException {
        var entries = new ArrayList<Path>();
        try (var found = Files.newDirectoryStream(folder)) {
            found.forEach(entries::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        Collections.sort(entries);
        return entries;
    }

    private void line(Told entry, String content) throws IOException, ReplicationException {
        boolean folder = entry.format() == FOLDER;
        var changed =
                entry.entry().equals(root) ? Instant.EPOCH : ((FileTime) entry.of("lastModifiedTime")).toInstant();
        var text = "%o %s %s %s %s %s %d.%09d %s %s %s\n"
                .formatted(
                        (int) entry.of("mode"),
                        entry.of("uid"),
                        entry.of("gid"),
                        folder ? NOTHING : entry.of("nlink"),
                        folder ? NOTHING : entry.of("size"),
                        entry.of("rdev"),
                        changed.getEpochSecond(),
                        changed.getNano(),
                        content,
                        userAttributes(entry),
                        root.relativize(entry.entry())
                                .toString()
                                .replace("\\", "\\\\")
                                .replace("\n", "\\n"));
        lines.write(text.getBytes(StandardCharsets.UTF_8));
        watch.read(readBytes);
    }

    private String userAttributes(Told entry) throws IOException {
        boolean mayHave = entry.format() == FOLDER || entry.format() == REGULAR;
        var view = mayHave ? Files.getFileAttributeView(entry.entry(), UserDefinedFileAttributeView.class) : null;
        if (view == null) {
            return NOTHING;
        }
        var names = new ArrayList<>(view.list());
        if (names.isEmpty()) {
            return NOTHING;
        }
        Collections.sort(names);
        for (var name : names) {
            var value = ByteBuffer.allocate(view.size(name));
            view.read(name, value);
            sha256.update(name.getBytes(StandardCharsets.UTF_8));
            sha256.update((byte) 0);
            sha256.update(ByteBuffer.allocate(Integer.BYTES)
                    .putInt(value.flip().remaining())
                    .flip());
            sha256.update(value);
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    private String content(Path file) throws IOException, ReplicationException {
        try (var channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            while (channel.read(buffer.clear()) >= 0) {
                readBytes += buffer.flip().remaining();
                sha256.update(buffer);
                watch.read(readBytes);
            }
        }
        watch.read(readBytes);
        return HexFormat.of().formatHex(sha256.digest());
    }

    private String hex(byte[] bytes) {
        return HexFormat.of().formatHex(sha256.digest(bytes));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private record Manifest(FileChannel file, long sizeBytes, FileTrees.SnapshotTree tree) implements SnapshotReader {
        @Override
        public void read(long offsetBytes, ByteBuffer target) throws ProviderException {
            try {
                while (target.hasRemaining()) {
                    int read = file.read(target, offsetBytes);
                    if (read < 0) {
                        throw new IllegalArgumentException("the manifest ends before byte %d".formatted(offsetBytes));
                    }
                    offsetBytes += read;
                }
            } catch (IOException e) {
                throw failed(tree.root(), e);
            }
        }

        @Override
        public Optional<Path> path() {
            return Optional.empty();
        }

        @Override
        public void close() throws ProviderException {
            TreeManifest.close(file, tree);
        }
    }
}
