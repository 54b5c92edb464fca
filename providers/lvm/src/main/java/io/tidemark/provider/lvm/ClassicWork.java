package io.tidemark.provider.lvm;

import io.tidemark.provider.devices.LongWork;
import io.tidemark.provider.devices.LongWork.Asked;
import io.tidemark.provider.lvm.LvmCatalog.Entry;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;

/** What takes long of classic volumes, in steps. It waits for work that needs the provider's lock: call without it. */
final class ClassicWork implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ClassicWork.class.getName());

    /** First words of a handle. */
    private static final String CREATE = "create";

    private static final String ROLLBACK = "rollback";
    private static final int PERCENT = 100;

    private final LongWork work = new LongWork(LvmNames.PROVIDER);
    private final ClassicVolumes making;
    private final ClassicRollback rollback;
    private final Volumes volumes;
    private final Alone alone;
    private final ClassicRollback.Closing closing;

    ClassicWork(
            ClassicVolumes making,
            ClassicRollback rollback,
            Volumes volumes,
            Alone alone,
            ClassicRollback.Closing closing) {
        this.making = making;
        this.rollback = rollback;
        this.volumes = volumes;
        this.alone = alone;
        this.closing = closing;
    }

    /** The group as it is. */
    interface Volumes {
        LvmCatalog catalog() throws ProviderException;

        Volume described(Entry<VolumeId> volume) throws ProviderException;
    }

    private Volume volume(VolumeId volume) throws ProviderException {
        return volumes.described(volumes.catalog().get(volume));
    }

    Step<Volume> create(VolumeId volume, long sizeBytes, Asked asked) throws ProviderException {
        var token = "%s %s %d".formatted(CREATE, volume, sizeBytes);
        if (asked == Asked.ANEW && !work.runs(token)) {
            making.refuseWithoutRoom(sizeBytes);
        }
        return work.run(token, asked, sizeBytes, zeroed -> {
            making.make(volume, sizeBytes, alone, zeroed);
            return volume(volume);
        });
    }

    /** @param snapshot as it was found */
    Step<Volume> rollback(Entry<SnapshotId> snapshot, Asked asked) throws ProviderException {
        var store = snapshot.on().store();
        // The rest is tables; but for telling how far it is nothing depends on it.
        long keptBytes = (long) (snapshot.on().sizeBytes() * store.percent() / PERCENT);
        var token = ROLLBACK + " " + snapshot.id();
        if (asked == Asked.ANEW && !work.runs(token)) {
            // Whoever asks hears at once why not, however long programs take.
            rollback.check(snapshot.id(), alone, closing);
        }
        return work.run(token, asked, keptBytes, copied -> {
            rollback.run(snapshot.id(), alone, closing, copied);
            return volume(snapshot.id().volume());
        });
    }

    /** A handle says what to do; work of this process is joined, that of one before is done again from its beginning. */
    Step<?> resume(Handle handle) throws ProviderException {
        var words = handle.token().split(" ", -1);
        try {
            if (words.length == 3 && words[0].equals(CREATE)) {
                return resumeCreate(new VolumeId(words[1]), Long.parseLong(words[2]));
            }
            if (words.length == 2 && words[0].equals(ROLLBACK)) {
                return resumeRollback(SnapshotId.parse(words[1]), handle.token());
            }
        } catch (IllegalArgumentException e) {
            throw new ProviderException(new ProviderError.Unexpected("resume", String.valueOf(e.getMessage())), e);
        }
        throw new ProviderException(new ProviderError.Unexpected("resume", "no work is called " + handle.token()));
    }

    private Step<Volume> resumeCreate(VolumeId volume, long sizeBytes) throws ProviderException {
        var existing = volumes.catalog().find(volume);
        if (existing.isPresent() && existing.get().sizeBytes() == sizeBytes) {
            return new Step.Done<>(volumes.described(existing.get()));
        }
        return create(volume, sizeBytes, Asked.AGAIN);
    }

    /** What came to its end is not begun anew: the volume may have been written since. */
    private Step<Volume> resumeRollback(SnapshotId snapshot, String token) throws ProviderException {
        var catalog = volumes.catalog();
        var volume = catalog.get(snapshot.volume());
        if (work.known(token) || ClassicRollback.restoring(volume.on()).isPresent()) {
            return rollback(catalog.get(snapshot), Asked.AGAIN);
        }
        return new Step.Done<>(volumes.described(volume));
    }

    /** Goes on with what a process that was killed was at; what cannot go on is told, and stays as it is. */
    void sweep(LvmCatalog catalog) {
        making.sweep(catalog);
        for (var volume : catalog.volumes()) {
            var point = ClassicRollback.restoring(volume.on());
            if (point.isPresent()) {
                goOn(volume, point.get(), catalog);
            }
        }
    }

    private void goOn(Entry<VolumeId> volume, String point, LvmCatalog catalog) {
        try {
            var snapshot = catalog.snapshots().stream()
                    .filter(each -> each.id().volume().equals(volume.id())
                            && each.id().recoveryPoint().value().equals(point))
                    .findFirst()
                    .orElseThrow(() -> new ProviderException(new ProviderError.Corrupt(
                            volume.id().toString(),
                            "a rollback to %s did not come to its end, and that snapshot is gone or invalid: roll it back to another one"
                                    .formatted(point))));
            var unused = rollback(snapshot, Asked.ANEW);
        } catch (ProviderException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "lvm.rollback_left volume={0} recoveryPoint={1} reason=\"{2}\" effect=\"neither old nor new: it is not cut or written\"",
                    volume.id(),
                    point,
                    e.getMessage());
        }
    }

    void refuseWhileMade(VolumeId volume) throws ProviderException {
        making.refuseWhileMade(volume);
    }

    @Override
    public void close() {
        work.close();
    }
}
