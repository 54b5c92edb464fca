package io.tidemark.discovery;

import io.tidemark.consistency.MountTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** {@code /proc}, proc(5). A process may end while it is looked at: then it is as if it had not been there. */
final class ProcFolder {
    /** Of one process; a server with more open files is looked at in part. */
    private static final int FILES_MAXIMUM = 100_000;

    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,9}");
    private static final Pattern SOCKET = Pattern.compile("socket:\\[([0-9]+)]");
    private static final String DELETED = " (deleted)";
    private static final String UNIX_LISTENS = "00010000";
    private static final String TCP_LISTENS = "0A";
    /** 127.0.0.0/8, ::1, and the former as an address of IPv6; words of 32 bits, as a little-endian host prints them. */
    private static final Pattern LOOPBACK =
            Pattern.compile("([0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F):[0-9A-F]+");

    private static final int UNIX_FLAGS_FIELD = 3;
    private static final int UNIX_INODE_FIELD = 6;
    private static final int UNIX_PATH_FIELD = 7;
    private static final int TCP_ADDRESS_FIELD = 1;
    private static final int TCP_STATE_FIELD = 3;
    private static final int TCP_INODE_FIELD = 9;
    private static final int OCTAL = 8;
    private static final int HEXADECIMAL = 16;
    /** {@code O_ACCMODE}: 0 of it is reading alone. */
    private static final int WRITE_FLAGS = 3;

    private final Path proc;

    ProcFolder(Path proc) {
        this.proc = proc;
    }

    /** What we have mounted ourselves. */
    MountTable mounts() throws IOException {
        return MountTable.parse(text("self/mountinfo"));
    }

    /** @param programs names of files or main threads */
    List<HostProcess> processes(Predicate<List<String>> programs) throws IOException {
        var found = new ArrayList<HostProcess>();
        try (var entries = Files.newDirectoryStream(proc)) {
            for (var entry : entries) {
                var name = entry.getFileName().toString();
                if (NUMBER.matcher(name).matches()) {
                    process(Integer.parseInt(name), programs).ifPresent(found::add);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        found.sort(Comparator.comparingInt(HostProcess::pid));
        return found;
    }

    private Optional<HostProcess> process(int pid, Predicate<List<String>> programs) {
        try {
            var names = new ArrayList<String>();
            names.add(text(pid, "comm").strip());
            var file = link(pid, "exe").map(Path::getFileName).map(name -> without(name.toString()));
            file.ifPresent(names::add);
            if (!programs.test(names)) {
                return Optional.empty();
            }
            var words = List.of(text(pid, "cmdline").split("\0", -1));
            var namespace = link(pid, "ns/mnt");
            return Optional.of(new HostProcess(
                    pid,
                    parent(text(pid, "status")),
                    names,
                    file,
                    words.getFirst(),
                    words.subList(1, words.size()),
                    link(pid, "cwd"),
                    new ProcessRoot(proc.resolve(Integer.toString(pid)).resolve("root")),
                    MountTable.parse(text(pid, "mountinfo")),
                    namespace,
                    !namespace.equals(link("self/ns/mnt"))));
        } catch (IOException e) {
            // Gone since it was listed.
            return Optional.empty();
        }
    }

    private static String without(String name) {
        return name.endsWith(DELETED) ? name.substring(0, name.length() - DELETED.length()) : name;
    }

    private static int parent(String status) {
        return status.lines()
                .filter(line -> line.startsWith("PPid:"))
                .map(line -> Integer.parseInt(line.substring("PPid:".length()).strip()))
                .findFirst()
                .orElse(0);
    }

    private String text(int pid, String file) throws IOException {
        return text(pid + "/" + file);
    }

    /** Names of files are bytes: what is no UTF-8 is replaced, and does not hide the rest. */
    private String text(String file) throws IOException {
        return new String(Files.readAllBytes(proc.resolve(file)), StandardCharsets.UTF_8);
    }

    private Optional<Path> link(int pid, String name) {
        return link(pid + "/" + name);
    }

    private Optional<Path> link(String name) {
        try {
            return Optional.of(Files.readSymbolicLink(proc.resolve(name)));
        } catch (IOException e) {
            // Not ours to look at, or gone.
            return Optional.empty();
        }
    }

    /** Files that it has open for writing, as it sees them; not its standard streams, nor what has no name any more. */
    List<Path> writtenFiles(int pid) {
        var files = new LinkedHashSet<Path>();
        for (var descriptor : descriptors(pid)) {
            var name = descriptor.getFileName().toString();
            var target = link(pid + "/fd/" + name);
            if (NUMBER.matcher(name).matches()
                    && Integer.parseInt(name) > 2
                    && target.filter(Path::isAbsolute).isPresent()
                    && !target.get().toString().endsWith(DELETED)
                    && writes(pid, name)) {
                files.add(target.get());
            }
        }
        return List.copyOf(files);
    }

    private List<Path> descriptors(int pid) {
        var found = new ArrayList<Path>();
        try (var entries = Files.newDirectoryStream(proc.resolve(pid + "/fd"))) {
            for (var entry : entries) {
                if (found.size() == FILES_MAXIMUM) {
                    break;
                }
                found.add(entry);
            }
        } catch (IOException | DirectoryIteratorException e) {
            // Not ours to look at, or gone: what was seen is told.
            return found;
        }
        return found;
    }

    private boolean writes(int pid, String descriptor) {
        try {
            return text(pid, "fdinfo/" + descriptor)
                    .lines()
                    .filter(line -> line.startsWith("flags:"))
                    .mapToInt(line ->
                            Integer.parseInt(line.substring("flags:".length()).strip(), OCTAL))
                    .anyMatch(flags -> (flags & WRITE_FLAGS) != 0);
        } catch (IOException e) {
            // Closed meanwhile.
            return false;
        }
    }

    /** Paths of the Unix sockets that it listens on, as it sees them. */
    List<Path> sockets(int pid) {
        var own = inodes(pid);
        return rows(pid, "net/unix").stream()
                .filter(row -> row.size() > UNIX_PATH_FIELD
                        && row.get(UNIX_FLAGS_FIELD).equals(UNIX_LISTENS)
                        && own.contains(row.get(UNIX_INODE_FIELD))
                        && row.get(UNIX_PATH_FIELD).startsWith("/"))
                .map(row -> Path.of(row.get(UNIX_PATH_FIELD)))
                .toList();
    }

    /** TCP ports that it listens on, lowest first. */
    List<Integer> ports(int pid) {
        return ports(pid, address -> true);
    }

    /** As {@link #ports}, without those that it offers to this host alone. */
    List<Integer> outerPorts(int pid) {
        return ports(pid, address -> !LOOPBACK.matcher(address).matches());
    }

    private List<Integer> ports(int pid, Predicate<String> addresses) {
        var own = inodes(pid);
        var rows = new ArrayList<>(rows(pid, "net/tcp"));
        rows.addAll(rows(pid, "net/tcp6"));
        return rows.stream()
                .filter(row -> row.size() > TCP_INODE_FIELD
                        && row.get(TCP_STATE_FIELD).equals(TCP_LISTENS)
                        && own.contains(row.get(TCP_INODE_FIELD)))
                .map(row -> row.get(TCP_ADDRESS_FIELD))
                .filter(addresses)
                .map(address -> Integer.parseInt(address.substring(address.lastIndexOf(':') + 1), HEXADECIMAL))
                .distinct()
                .sorted()
                .toList();
    }

    private Set<String> inodes(int pid) {
        var inodes = new HashSet<String>();
        for (var descriptor : descriptors(pid)) {
            link(pid + "/fd/" + descriptor.getFileName())
                    .map(target -> SOCKET.matcher(target.toString()))
                    .filter(java.util.regex.Matcher::matches)
                    .ifPresent(matcher -> inodes.add(matcher.group(1)));
        }
        return inodes;
    }

    private List<List<String>> rows(int pid, String file) {
        try {
            return text(pid, file)
                    .lines()
                    .skip(1)
                    .map(line -> List.of(line.strip().split(" +", -1)))
                    .toList();
        } catch (IOException e) {
            // No such protocol here, or gone.
            return List.of();
        }
    }
}
