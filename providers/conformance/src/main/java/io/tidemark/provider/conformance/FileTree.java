package io.tidemark.provider.conformance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/** Files that a test makes and changes, and all of them that two trees are compared by. */
final class FileTree {
    private static final int LARGE_BYTES = 3 << 20;
    private static final long SPARSE_BYTES = 16L << 20;

    private FileTree() {}

    /** One of each kind. */
    static void fill(Path root, long seed) throws Exception {
        var random = new Random(seed);
        Files.createDirectories(root.resolve("folder/inner"));
        Files.createDirectory(root.resolve("emptied"));
        write(root.resolve("folder/inner/small"), random, 100);
        write(root.resolve("large"), random, LARGE_BYTES);
        write(root.resolve("name with blank, \u00e4 and \u20ac"), random, 5_000);
        Files.createFile(root.resolve("empty"));
        Files.createLink(root.resolve("folder/hard"), root.resolve("large"));
        Files.createSymbolicLink(root.resolve("inside"), Path.of("folder/inner"));
        Files.createSymbolicLink(root.resolve("outside"), Path.of("/etc/../etc/hostname"));
        sparse(root.resolve("sparse"), random);
        attribute(root.resolve("large"), "color", "blue");
        attribute(root.resolve("folder"), "kind", "documents");
        Files.setAttribute(root.resolve("empty"), "unix:mode", 04750);
        Files.setAttribute(root.resolve("folder"), "unix:mode", 01777);
    }

    /** What happens to files between two snapshots. */
    static void change(Path root, long seed) throws Exception {
        var random = new Random(seed);
        write(root.resolve("new"), random, 10_000);
        try (var file = FileChannel.open(root.resolve("large"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(bytes(random, 20_000)), 1_000_001);
            file.truncate(LARGE_BYTES - 77);
        }
        Files.move(root.resolve("folder/inner"), root.resolve("moved"));
        Files.writeString(root.resolve("moved/small"), "changed where it was moved to");
        Files.delete(root.resolve("emptied"));
        Files.delete(root.resolve("inside"));
        Files.createDirectory(root.resolve("inside"));
        write(root.resolve("inside/was a link"), random, 10);
        Files.delete(root.resolve("folder/hard"));
        Files.createLink(root.resolve("another hard"), root.resolve("empty"));
        Files.createLink(root.resolve("and another"), root.resolve("empty"));
        sparse(root.resolve("sparse"), random);
        attribute(root.resolve("large"), "color", "red");
        attribute(root.resolve("sparse"), "size", "huge");
        Files.getFileAttributeView(root.resolve("folder"), UserDefinedFileAttributeView.class)
                .delete("kind");
        Files.setAttribute(root.resolve("moved"), "unix:mode", 0700);
    }

    /** A few random things, on names that meet earlier ones. */
    static void shuffle(Path root, Random random) throws Exception {
        for (int index = 0; index < 12; index++) {
            var one = root.resolve("folder/n" + random.nextInt(6));
            var other = root.resolve("n" + random.nextInt(6));
            switch (random.nextInt(5)) {
                case 0 -> write(one, random, random.nextInt(40_000));
                case 1 -> write(other, random, random.nextInt(9_000));
                case 2 -> Files.deleteIfExists(one);
                case 3 -> {
                    if (Files.exists(one)) {
                        Files.deleteIfExists(other);
                        Files.move(one, other);
                    }
                }
                default -> {
                    if (Files.exists(other) && !Files.exists(one)) {
                        Files.createLink(one, other);
                    }
                }
            }
        }
    }

    private static byte[] bytes(Random random, int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void write(Path file, Random random, int length) throws IOException {
        Files.write(file, bytes(random, length));
    }

    private static void sparse(Path path, Random random) throws IOException {
        try (var file = FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            file.write(ByteBuffer.wrap(bytes(random, 5_000)), SPARSE_BYTES / 2 + random.nextInt(5_000_000));
            file.write(ByteBuffer.wrap(new byte[1]), SPARSE_BYTES - 1);
        }
    }

    private static void attribute(Path path, String name, String value) throws IOException {
        Files.getFileAttributeView(path, UserDefinedFileAttributeView.class)
                .write(name, ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8)));
    }

    /** A line about each file, by path from the root on: kind, owner, mode, time, links, attributes, bytes. */
    static SortedMap<String, String> of(Path root) throws Exception {
        var tree = new TreeMap<String, String>();
        var firstOfInode = new HashMap<Object, String>();
        try (var paths = Files.walk(root)) {
            for (var path : paths.sorted().toList()) {
                var name = root.relativize(path).toString();
                tree.put(name, describe(path, name, firstOfInode));
            }
        }
        return tree;
    }

    private static String describe(Path path, String name, Map<Object, String> firstOfInode) throws Exception {
        var facts =
                Files.readAttributes(path, "unix:mode,uid,gid,size,lastModifiedTime,ino", LinkOption.NOFOLLOW_LINKS);
        var basic = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        var line = new StringBuilder("%o %s:%s %s"
                .formatted(
                        (Integer) facts.get("mode"),
                        facts.get("uid"),
                        facts.get("gid"),
                        facts.get("lastModifiedTime")));
        if (basic.isSymbolicLink()) {
            return line.append(" -> ").append(Files.readSymbolicLink(path)).toString();
        }
        var attributes = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
        for (var attribute : attributes.list().stream().sorted().toList()) {
            var value = ByteBuffer.allocate(attributes.size(attribute));
            attributes.read(attribute, value);
            line.append(' ').append(attribute).append('=').append(HexFormat.of().formatHex(value.array()));
        }
        if (basic.isRegularFile()) {
            Optional.ofNullable(firstOfInode.putIfAbsent(String.valueOf(facts.get("ino")), name))
                    .ifPresent(first -> line.append(" is ").append(first));
            line.append(" %d bytes ".formatted(basic.size())).append(digest(path));
        }
        return line.toString();
    }

    private static String digest(Path file) throws Exception {
        var digest = MessageDigest.getInstance("SHA-256");
        var buffer = ByteBuffer.allocate(1 << 20);
        try (var channel = FileChannel.open(file)) {
            while (channel.read(buffer.clear()) >= 0) {
                digest.update(buffer.flip());
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }
}
