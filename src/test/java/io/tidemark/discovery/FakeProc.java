package io.tidemark.discovery;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A {@code /proc}, a {@code /sys} and roots of processes, made of files and links. */
final class FakeProc {
    static final String WRITES = "flags:\t0100002\n";
    static final String READS = "flags:\t0100000\n";

    private final Path folder;
    private int descriptors = 3;

    FakeProc(Path folder) throws IOException {
        this.folder = folder;
        link("proc/self/ns/mnt", "mnt:[1]");
        write("proc/self/mountinfo", "");
        Files.createDirectories(sys());
    }

    Path proc() {
        return folder.resolve("proc");
    }

    Path sys() {
        return folder.resolve("sys");
    }

    Path root(String name) {
        return folder.resolve(name);
    }

    void write(String file, String text) throws IOException {
        var path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    void link(String file, String target) throws IOException {
        var path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.createSymbolicLink(path, Path.of(target));
    }

    /** @param root below the folder; others than {@code host} are containers */
    void process(int pid, int parent, String program, String root, String workingFolder, String mountinfo)
            throws IOException {
        var process = "proc/" + pid + "/";
        write(process + "comm", program + "\n");
        link(process + "exe", "/usr/sbin/" + program);
        write(process + "cmdline", program + "\0-x\0");
        write(process + "status", "Name:\t%s\nPPid:\t%d\n".formatted(program, parent));
        link(process + "cwd", workingFolder);
        link(process + "root", folder.resolve(root).toString());
        write(process + "mountinfo", mountinfo);
        link(process + "ns/mnt", root.equals("host") ? "mnt:[1]" : "mnt:[2]");
        Files.createDirectories(folder.resolve(process + "fd"));
        Files.createDirectories(folder.resolve(root + workingFolder));
    }

    void open(int pid, String target, String flags) throws IOException {
        descriptors++;
        link("proc/%d/fd/%d".formatted(pid, descriptors), target);
        write("proc/%d/fdinfo/%d".formatted(pid, descriptors), "pos:\t0\n" + flags);
    }

    /** What it runs in truth. */
    void file(int pid, String file) throws IOException {
        Files.deleteIfExists(folder.resolve("proc/%d/exe".formatted(pid)));
        link("proc/%d/exe".formatted(pid), file);
    }

    /** Its name for itself, and its arguments. */
    void arguments(int pid, String... words) throws IOException {
        write("proc/%d/cmdline".formatted(pid), String.join("\0", words) + "\0");
    }

    /** @param addresses as the kernel writes them: {@code 0100007F:0599}; in the place of those from before */
    void listen(int pid, int inode, String... addresses) throws IOException {
        var text = new StringBuilder("  sl  local_address rem_address   st\n");
        for (int index = 0; index < addresses.length; index++) {
            int socket = inode * 10 + index;
            open(pid, "socket:[%d]".formatted(socket), WRITES);
            text.append("   %d: %s 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 %d 1\n"
                    .formatted(index, addresses[index], socket));
        }
        write("proc/%d/net/tcp".formatted(pid), text.toString());
    }

    /** One line of {@code mountinfo}. */
    static String mount(String device, String point, String type, String source) {
        return "25 1 %s / %s rw - %s %s rw\n".formatted(device, point, type, source);
    }

    /** Attached to an image. */
    void loop(int number, String image) throws IOException {
        write("sys/devices/loop%d/loop/backing_file".formatted(number), image + "\n");
        link("sys/dev/block/7:" + number, "../../devices/loop" + number);
    }

    /** A logical volume on a disk. */
    void logicalVolume(int number, String name) throws IOException {
        write("sys/devices/dm-%d/dm/name".formatted(number), name + "\n");
        Files.createDirectories(folder.resolve("sys/devices/sda"));
        link("sys/devices/dm-%d/slaves/sda".formatted(number), "../../sda");
        link("sys/dev/block/253:" + number, "../../devices/dm-" + number);
    }

    static KnownVolume onDevice(String id, String device) {
        return new KnownVolume(id, java.util.Optional.of(Path.of(device)), List.of(), false);
    }
}
