package io.tidemark.provider.azure;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Optional;

/**
 * What a handle's token says: {@code clone VOLUME SNAPSHOT}, {@code delete SNAPSHOT UNTIL}, the last in seconds since
 * 1970, or {@code copy SNAPSHOT SOURCE KEY PHASE}, where no key is a dash, and of an uploaded disk {@code BYTES} follow.
 */
sealed interface AzureHandles {
    String NO_KEY = "-";

    record Clone(CloneRequest request) implements AzureHandles {}

    /** @param until when one that is not seen does not exist */
    record Delete(SnapshotId snapshot, Instant until) implements AzureHandles {}

    static Handle ofClone(CloneRequest request) {
        return new Handle(request.name().provider(), "clone %s %s".formatted(request.name(), request.snapshot()));
    }

    static Handle ofDelete(SnapshotId snapshot, Instant until) {
        return new Handle(snapshot.volume().provider(), "delete %s %d".formatted(snapshot, until.getEpochSecond()));
    }

    /** @param phase how far it was when the handle was given; it decides nothing */
    record Copy(AzureCopies.Wanted wanted, AzureCopies.Phase phase) implements AzureHandles {}

    static Handle ofCopy(AzureCopies.Wanted wanted, AzureCopies.Phase phase) {
        return new Handle(
                wanted.id().volume().provider(),
                "copy %s %s %s %s%s"
                        .formatted(
                                wanted.id(),
                                wanted.source(),
                                wanted.key().orElse(NO_KEY),
                                phase.name(),
                                wanted.uploadedBytes().map(bytes -> " " + bytes).orElse("")));
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
        boolean isSized = words.length == 6 && words[5].matches("[0-9]{1,18}");
        if ((words.length == 5 || isSized) && words[0].equals("copy")) {
            var key = Optional.of(words[3]).filter(word -> !word.equals(NO_KEY));
            var bytes = isSized ? Optional.of(Long.parseLong(words[5])) : Optional.<Long>empty();
            return new Copy(
                    new AzureCopies.Wanted(SnapshotId.parse(words[1]), words[2], key, bytes),
                    AzureCopies.Phase.valueOf(words[4]));
        }
        throw new IllegalArgumentException("no handle of provider azure: " + handle);
    }
}
