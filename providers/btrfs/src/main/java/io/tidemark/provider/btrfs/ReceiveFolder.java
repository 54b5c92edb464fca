package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.devices.DurableFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;

/**
 * A subvolume in the work folder that {@code btrfs receive} is confined to. In it lie what the stream makes, and a
 * read-only snapshot of what it builds upon, whose UUID is new, so that it is found and nothing else.
 */
final class ReceiveFolder {
    /** In its name. No volume's name has this letter, so that nothing else is taken for one. */
    static final String KIND = "receive-";

    private static final String BASE = "base";

    private static final System.Logger LOG = System.getLogger(ReceiveFolder.class.getName());

    private final Path root;
    private final HostCalls host;

    ReceiveFolder(Path root, HostCalls host) {
        this.root = root;
        this.host = host;
    }

    static boolean isOne(Path path) {
        return DurableFiles.nameOf(path).contains("@" + KIND);
    }

    Path root() {
        return root;
    }

    Path base() {
        return root.resolve(BASE);
    }

    Path received() {
        return root.resolve(StreamFilter.NAME);
    }

    void make() throws IOException {
        host.btrfsCreateSubvolume(root);
    }

    /**
     * Found by its own new UUID as what was received: receive looks for what a command shares bytes with among such
     * alone (btrfs-progs 6.2).
     *
     * @return its UUID, of both kinds
     */
    UUID makeBase(Path older) throws IOException {
        host.btrfsSnapshot(older, base(), false);
        var uuid = host.btrfsSubvolume(base()).lineage().uuid();
        host.btrfsSetReceived(base(), uuid);
        return uuid;
    }

    /** What cannot be removed is told, and left to the next start. */
    void discard() {
        try {
            remove();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "btrfs.kept path={0} reason={1}", root, e.getMessage());
        }
    }

    /** Also of one that a death has left in the making or in the removing. */
    void remove() throws IOException {
        for (var part : new Path[] {received(), base()}) {
            if (DurableFiles.exists(part)) {
                host.btrfsDeleteSubvolume(part);
            }
        }
        host.btrfsDeleteSubvolume(root);
    }
}
