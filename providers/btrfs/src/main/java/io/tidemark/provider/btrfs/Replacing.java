package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.btrfs.BtrfsFolder.Subvolume;
import io.tidemark.provider.devices.DurableFiles;
import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.Optional;

/**
 * Puts writable snapshots of snapshots where volumes are, and takes volumes away. What is built, and what has lost its
 * place, lies in the work folder: nobody needs it, whichever of the two it is, so that a start deletes all of it.
 */
final class Replacing {
    /** On the root of a clone: {@code CLONE of SNAPSHOT}. In the clone itself, so that it comes and goes with it. */
    static final String MARK = "tidemark.clone";

    /** Nested subvolumes that an error or a note names. */
    private static final int NAMED_MAXIMUM = 3;

    private static final System.Logger LOG = System.getLogger(Replacing.class.getName());

    private final BtrfsFolder folder;
    private final HostCalls host;
    private final SubvolumeUse use;

    Replacing(BtrfsFolder folder, HostCalls host, SubvolumeUse use) {
        this.folder = folder;
        this.host = host;
        this.use = use;
    }

    /** Deletes what a crash has left, and what was kept because somebody used it. */
    void sweep() throws ProviderException {
        try {
            for (var left : DurableFiles.entries(folder.work())) {
                discard(left);
            }
        } catch (IOException e) {
            throw BtrfsErrors.of("sweeping", folder.work(), e);
        }
    }

    /** Where that fails, or somebody uses it, it stays in the work folder until the next start. */
    private void discard(Path left) {
        try {
            if (ReceiveFolder.isOne(left)) {
                new ReceiveFolder(left, host).remove();
            } else {
                refuseWhileNeeded(left, left);
                host.btrfsDeleteSubvolume(left);
            }
            LOG.log(Level.INFO, "btrfs.swept path={0}", left);
        } catch (IOException | ProviderException e) {
            LOG.log(Level.WARNING, "btrfs.kept path={0} reason={1}", left, e.getMessage());
        }
    }

    /** {@code a, b/c and 5 more}; none where nothing is nested in it. */
    Optional<String> nested(Path subvolume) throws IOException {
        var nested = host.btrfsNested(subvolume);
        if (nested.count() == 0) {
            return Optional.empty();
        }
        var named = nested.some().stream().limit(NAMED_MAXIMUM).toList();
        int more = nested.count() - named.size();
        return Optional.of(String.join(", ", named) + (more > 0 ? " and %d more".formatted(more) : ""));
    }

    /** @throws ProviderException Busy */
    void refuseWhileUsed(Subvolume volume) throws ProviderException, IOException {
        use.refuse(volume.id(), volume.path());
    }

    /** @throws ProviderException Conflict, Busy */
    private void refuseWhileNeeded(Object object, Path subvolume) throws ProviderException, IOException {
        var nested = nested(subvolume);
        if (nested.isPresent()) {
            throw BtrfsErrors.conflict(
                    object, "subvolumes lie in it, which would be lost: %s. Move them out".formatted(nested.get()));
        }
        use.refuse(object, subvolume);
    }

    /**
     * Exchanges the volume with a writable snapshot of the snapshot: a crash leaves one or the other in its place. Who
     * came to use the volume after the first look is found by the second, and it goes back.
     *
     * @throws ProviderException Conflict, Busy; the volume is as it was
     */
    void rollback(Subvolume volume, SnapshotId snapshot) throws ProviderException, IOException {
        refuseWhileNeeded(volume.id(), volume.path());
        var work = folder.freeWork(volume.id());
        host.btrfsSnapshot(folder.path(snapshot), work, false);
        boolean exchanged = false;
        boolean done = false;
        try {
            host.exchange(work, volume.path());
            exchanged = true;
            refuseWhileNeeded(volume.id(), work);
            host.btrfsCommit(folder.root());
            delete(volume.id(), work);
            done = true;
        } finally {
            if (!done) {
                takeBack(volume, work, exchanged);
            }
        }
        host.btrfsCommit(folder.root());
    }

    private void takeBack(Subvolume volume, Path work, boolean exchanged) {
        try {
            if (exchanged) {
                host.exchange(work, volume.path());
                host.btrfsCommit(folder.root());
            }
        } catch (IOException e) {
            LOG.log(
                    Level.ERROR,
                    "btrfs.rollback_not_taken_back volume={0} content={1} reason={2}",
                    volume.id(),
                    work,
                    e.getMessage());
            return;
        }
        discard(work);
    }

    /** @throws ProviderException Conflict for the default subvolume, or where one came to lie in it meanwhile */
    private void delete(Object object, Path subvolume) throws ProviderException, IOException {
        try {
            host.btrfsDeleteSubvolume(subvolume);
        } catch (HostCallException e) {
            // The kernel, may_destroy_subvol and btrfs_delete_subvolume in fs/btrfs/inode.c.
            var reason = switch (e.errno()) {
                case HostCallException.EPERM ->
                    "it is the file system's default subvolume, is being sent, or has an active swap file";
                case HostCallException.ENOTEMPTY -> "a subvolume lies in it, which would be lost";
                default -> throw e;
            };
            throw new ProviderException(new ProviderError.Conflict(object.toString(), reason), e);
        }
    }

    /** @throws ProviderException Conflict, Busy */
    void remove(Subvolume volume) throws ProviderException, IOException {
        refuseWhileNeeded(volume.id(), volume.path());
        delete(volume.id(), volume.path());
        host.btrfsCommit(folder.root());
    }

    /** Nobody can write to it: who reads it goes on reading until it closes its files. */
    void remove(SnapshotId snapshot) throws ProviderException, IOException {
        var subject = "snapshot " + snapshot;
        use.refuseWhileMounted(subject, folder.path(snapshot));
        delete(subject, folder.path(snapshot));
    }

    /** @throws ProviderException VolumeExists where the name is taken by anything else */
    void clone(CloneRequest request) throws ProviderException, IOException {
        var target = folder.entry(request.name())
                .orElseThrow(() -> BtrfsErrors.conflict(
                        request.name(), "the name of a subvolume has no slash. Choose a name without one"));
        if (!isClone(request, target)) {
            if (DurableFiles.exists(target)) {
                throw exists(request.name());
            }
            make(request, target);
        }
        // Of an earlier call, too, that ended before it was durable.
        host.btrfsCommit(folder.root());
    }

    private void make(CloneRequest request, Path target) throws ProviderException, IOException {
        var work = folder.freeWork(request.name());
        host.btrfsSnapshot(folder.path(request.snapshot()), work, false);
        boolean placed = false;
        try {
            marks(work).write(MARK, StandardCharsets.UTF_8.encode(mark(request)));
            host.renameToNew(work, target);
            placed = true;
        } catch (HostCallException e) {
            if (e.errno() == HostCallException.EEXIST) {
                throw exists(request.name());
            }
            throw e;
        } finally {
            if (!placed) {
                discard(work);
            }
        }
    }

    private boolean isClone(CloneRequest request, Path target) throws ProviderException, IOException {
        if (folder.find(request.name()).isEmpty()) {
            return false;
        }
        var marks = marks(target);
        if (!marks.list().contains(MARK)) {
            return false;
        }
        var value = ByteBuffer.allocate(marks.size(MARK));
        marks.read(MARK, value);
        return mark(request).equals(StandardCharsets.UTF_8.decode(value.flip()).toString());
    }

    private static String mark(CloneRequest request) {
        return request.name() + " of " + request.snapshot();
    }

    private static UserDefinedFileAttributeView marks(Path subvolume) {
        var view = Files.getFileAttributeView(subvolume, UserDefinedFileAttributeView.class);
        if (view == null) {
            throw new AssertionError("the JDK has no extended attributes on this system");
        }
        return view;
    }

    private static ProviderException exists(VolumeId volume) {
        return new ProviderException(new ProviderError.VolumeExists(volume));
    }
}
