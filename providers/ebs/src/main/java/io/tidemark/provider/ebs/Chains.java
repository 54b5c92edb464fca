package io.tidemark.provider.ebs;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The chains of this host, each in a folder of the staging folder, which belongs to one process at a time. Knows nothing of
 * Amazon but names.
 */
final class Chains implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Chains.class.getName());
    private static final String LOCK = "lock";
    private static final String GONE = "gone-";
    private static final String CHAIN = "chain-";
    private static final String BEGUN = "begun-";
    private static final int READABLE_CHARACTERS = 40;
    private static final int DIGEST_CHARACTERS = 16;

    private final StagingFiles files;
    private final Path staging;
    private final FileChannel lock;
    private final NavigableMap<VolumeId, Chain> chains = new ConcurrentSkipListMap<>();
    /** By folder, whose name is made of the volume's. */
    private final Map<Path, Damaged> damaged = new HashMap<>();

    private Chains(StagingFiles files, Path staging, FileChannel lock) {
        this.files = files;
        this.staging = staging;
        this.lock = lock;
    }

    /**
     * One that is damaged is passed over, and {@link #refuseDamaged told} to who asks for it.
     *
     * @throws ProviderException Conflict where another process has the folder
     */
    static Chains open(String provider, Path staging, StagingFiles files) throws ProviderException {
        files.makeFolder(staging);
        var chains = new Chains(files, staging, lock(staging));
        try {
            for (var each : files.list(staging)) {
                chains.load(provider, each);
            }
        } catch (ProviderException | RuntimeException e) {
            chains.close();
            throw e;
        }
        return chains;
    }

    private static FileChannel lock(Path staging) throws ProviderException {
        try {
            var channel = FileChannel.open(staging.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                if (channel.tryLock() != null) {
                    return channel;
                }
            } catch (OverlappingFileLockException e) {
                // Another instance of this process: as another process.
            }
            channel.close();
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("locking " + staging, e.toString()), e);
        }
        throw new ProviderException(new ProviderError.Conflict(
                staging.toString(), "another process uses it: give each provider a staging folder of its own"));
    }

    private void load(String provider, Path folder) throws ProviderException {
        var name = folder.getFileName().toString();
        if (name.startsWith(GONE) || name.startsWith(BEGUN)) {
            files.sweep(folder);
        }
        if (!name.startsWith(CHAIN)) {
            return;
        }
        var record = Optional.<ChainRecord>empty();
        try {
            record = Optional.of(record(folder));
            var id = VolumeId.of(provider, record.get().name());
            chains.put(id, Chain.open(files, folder, id, record.get()));
        } catch (ProviderException e) {
            if (!(e.error() instanceof ProviderError.Corrupt corrupt)) {
                throw e;
            }
            damaged.put(folder, new Damaged(corrupt, record));
            LOG.log(System.Logger.Level.ERROR, () -> "chain in %s is left out: %s".formatted(name, corrupt.message()));
        }
    }

    private ChainRecord record(Path folder) throws ProviderException {
        var file = folder.resolve(Chain.RECORD);
        var bytes = files.read(file);
        if (bytes.isEmpty()) {
            throw new ProviderException(new ProviderError.Corrupt(file.toString(), "it is missing"));
        }
        return ChainRecord.parse(file.toString(), bytes.get());
    }

    /**
     * One whose files on this host are not what they were.
     *
     * @param record none: it is what is damaged
     */
    private record Damaged(ProviderError.Corrupt why, Optional<ChainRecord> record) {}

    /** @throws ProviderException Corrupt where the volume is a chain that is damaged */
    void refuseDamaged(VolumeId volume) throws ProviderException {
        var one = damaged.get(folder(CHAIN, volume.name()));
        if (one != null) {
            throw new ProviderException(new ProviderError.Corrupt(
                    volume.toString(),
                    "%s; restore its folder, or move it away: then what was not uploaded is lost, and its snapshots at"
                                    .formatted(one.why().message())
                            + " Amazon are as before"));
        }
    }

    /** Whether a chain lies on it that is damaged, and may be mended. */
    void refuseDamagedOn(String cloudId) throws ProviderException {
        for (var each : damaged.values()) {
            if (each.record().flatMap(ChainRecord::base).equals(Optional.of(cloudId))) {
                throw new ProviderException(each.why());
            }
        }
    }

    Optional<Chain> find(VolumeId volume) {
        return Optional.ofNullable(chains.get(volume));
    }

    /** In order of id. */
    List<Chain> all() {
        return List.copyOf(chains.values());
    }

    /** Made with a life of its own; the caller has seen that there is none. */
    synchronized Chain make(VolumeId volume, long sizeBytes, Optional<Origin> origin) throws ProviderException {
        var record = ChainRecord.of(volume.name(), sizeBytes, UUID.randomUUID().toString());
        var begun =
                origin.map(each -> record.on(each.snapshot(), each.cloudId())).orElse(record);
        var chain = Chain.make(files, folder(BEGUN, volume.name()), folder(CHAIN, volume.name()), volume, begun);
        chains.put(volume, chain);
        return chain;
    }

    /** @param cloudId of the snapshot, by Amazon's name */
    record Origin(SnapshotId snapshot, String cloudId) {}

    /** What it still has to delete at Amazon is another chain's to do, or was done. */
    synchronized void remove(Chain chain) throws ProviderException {
        chain.remove();
        chains.remove(chain.id());
    }

    /** Whether any chain lies on it. */
    boolean isBase(String cloudId) {
        return basedOn(cloudId).isPresent()
                || damaged.values().stream()
                        .anyMatch(
                                each -> each.record().flatMap(ChainRecord::base).equals(Optional.of(cloudId)));
    }

    Optional<Chain> basedOn(String cloudId) {
        return chains.values().stream()
                .filter(each -> each.record().base().equals(Optional.of(cloudId)))
                .findFirst();
    }

    /** Those that are not at Amazon yet. */
    List<Snapshot> snapshots() {
        var found = new ArrayList<Snapshot>();
        chains.values().forEach(each -> found.addAll(each.snapshots()));
        return found;
    }

    /**
     * Whether a snapshot at Amazon is one for callers: not while this host has its layer, nor what is left of one that is
     * deleted here, nor one of a chain that is damaged.
     */
    boolean counts(CloudSnapshot snapshot) {
        var number = snapshot.chainNumber();
        if (number.isEmpty()) {
            return true;
        }
        if (damaged.containsKey(folder(CHAIN, snapshot.tags().getOrDefault(EbsNames.VOLUME, "")))) {
            return false;
        }
        return chains.values().stream()
                .map(Chain::record)
                .noneMatch(each -> each.left().contains(snapshot.id())
                        || (each.name().equals(snapshot.tags().get(EbsNames.VOLUME))
                                && number.getAsInt() > each.baseNumber()));
    }

    /** A name's readable beginning, and enough of its digest that no two names share a folder. */
    private Path folder(String kind, String volume) {
        var readable = volume.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "-");
        var digest = DirectCalls.digestOf(ByteBuffer.wrap(volume.getBytes(StandardCharsets.UTF_8)));
        return staging.resolve(kind
                + readable.substring(0, Math.min(READABLE_CHARACTERS, readable.length()))
                + "-"
                + HexFormat.of().formatHex(digest).substring(0, DIGEST_CHARACTERS));
    }

    /** Bytes that the staging folder's file system has free; for facts. */
    long freeBytes() {
        try {
            return Files.getFileStore(staging).getUsableSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public void close() throws ProviderException {
        try (lock) {
            for (var each : chains.values()) {
                each.close();
            }
        } catch (IOException e) {
            throw new ProviderException(new ProviderError.Unexpected("unlocking " + staging, e.toString()), e);
        }
    }
}
