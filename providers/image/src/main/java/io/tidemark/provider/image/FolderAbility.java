package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.CommandRunner;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a folder's file system can do for this account. Found out once, at the start, by doing each thing to a few
 * bytes of our own: rights and mount options decide as much as the file system's name does.
 *
 * @param best the best way to cut a new volume here
 * @param reflinks whether files can share extents
 * @param sendsChanges whether {@code btrfs send} names what changed between two subvolumes
 * @param fileSystem the type, for people
 */
record FolderAbility(CutMethod best, boolean reflinks, boolean sendsChanges, String fileSystem) {
    private static final String PROBE = ".probe";

    static FolderAbility of(Path work, Optional<HostCalls> host, CommandRunner commands) throws IOException {
        var fileSystem = Files.getFileStore(work).type();
        if (host.isEmpty()) {
            return new FolderAbility(CutMethod.COPY, false, false, fileSystem);
        }
        if (!canReflink(work, host.get())) {
            return new FolderAbility(CutMethod.COPY, false, false, fileSystem);
        }
        if (!canSnapshot(work, host.get())) {
            return new FolderAbility(CutMethod.REFLINK, true, false, fileSystem);
        }
        return new FolderAbility(CutMethod.SUBVOLUME, true, canSend(work, host.get(), commands), fileSystem);
    }

    private static boolean canReflink(Path work, HostCalls host) throws IOException {
        var source = work.resolve(PROBE + "-source");
        var target = work.resolve(PROBE + "-target");
        try {
            Files.write(source, new byte[4096]);
            host.reflink(source, target);
            return true;
        } catch (HostCallException e) {
            // The answer to the question: EOPNOTSUPP, ENOTTY, EXDEV, EINVAL all mean no.
            return false;
        } finally {
            Files.deleteIfExists(source);
            Files.deleteIfExists(target);
        }
    }

    private static boolean canSnapshot(Path work, HostCalls host) {
        var subvolume = work.resolve(PROBE + "-subvolume");
        var snapshot = work.resolve(PROBE + "-snapshot");
        try {
            host.btrfsCreateSubvolume(subvolume);
            host.btrfsSnapshot(subvolume, snapshot, true);
            host.btrfsDeleteSubvolume(snapshot);
            host.btrfsDeleteSubvolume(subvolume);
            return true;
        } catch (IOException e) {
            // Not Btrfs, or this account may not delete subvolumes; what is left is swept from the work folder.
            return false;
        }
    }

    private static boolean canSend(Path work, HostCalls host, CommandRunner commands) throws IOException {
        var subvolume = work.resolve(PROBE + "-sent");
        var older = work.resolve(PROBE + "-older");
        var newer = work.resolve(PROBE + "-newer");
        host.btrfsCreateSubvolume(subvolume);
        host.btrfsSnapshot(subvolume, older, true);
        host.btrfsSnapshot(subvolume, newer, true);
        try (var stream = commands.stream(SendStream.command(older, newer))) {
            stream.output().transferTo(OutputStream.nullOutputStream());
            return stream.finish().succeeded();
        } catch (CommandException e) {
            // Not installed, or it did not end: extents will be compared instead.
            return false;
        } finally {
            for (var left : List.of(newer, older, subvolume)) {
                host.btrfsDeleteSubvolume(left);
            }
        }
    }
}
