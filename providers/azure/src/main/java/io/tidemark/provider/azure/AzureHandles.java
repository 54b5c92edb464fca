package io.tidemark.provider.azure;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;

/**
 * What a handle's token says: {@code clone VOLUME SNAPSHOT} or {@code delete SNAPSHOT UNTIL}, the last in seconds since
 * 1970.
 */
sealed interface AzureHandles {
    record Clone(CloneRequest request) implements AzureHandles {}

    /** @param until when one that is not seen does not exist */
    record Delete(SnapshotId snapshot, Instant until) implements AzureHandles {}

    static Handle ofClone(CloneRequest request) {
        return new Handle(request.name().provider(), "clone %s %s".formatted(request.name(), request.snapshot()));
    }

    static Handle ofDelete(SnapshotId snapshot, Instant until) {
        return new Handle(snapshot.volume().provider(), "delete %s %d".formatted(snapshot, until.getEpochSecond()));
    }

    /** @throws IllegalArgumentException where it is none of ours */
    static AzureHandles parse(Handle handle) {
        var words = handle.token().split(" ", -1);
        if (words.length == 3 && words[0].equals("clone")) {
            return new Clone(new CloneRequest(SnapshotId.parse(words[2]), new VolumeId(words[1])));
        }
        if (words.length == 3 && words[0].equals("delete") && words[2].matches("[0-9]{1,12}")) {
            return new Delete(SnapshotId.parse(words[1]), Instant.ofEpochSecond(Long.parseLong(words[2])));
        }
        throw new IllegalArgumentException("no handle of provider azure: " + handle);
    }
}
