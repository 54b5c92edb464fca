package io.tidemark.provider.ebs;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Optional;

/**
 * What a handle's token says: {@code clone VOLUME SNAPSHOT}, {@code delete SNAPSHOT UNTIL}, the last in seconds since 1970, or
 * {@code copy SNAPSHOT REGION ID BYTES KEY PHASE}, where no key is a dash.
 */
sealed interface EbsHandles {
    String NO_KEY = "-";

    record Clone(CloneRequest request) implements EbsHandles {}

    /** @param until when one that is not seen does not exist */
    record Delete(SnapshotId snapshot, Instant until) implements EbsHandles {}

    static Handle ofClone(CloneRequest request) {
        return new Handle(request.name().provider(), "clone %s %s".formatted(request.name(), request.snapshot()));
    }

    static Handle ofDelete(SnapshotId snapshot, Instant until) {
        // Instant.MIN, where nothing is waited for, is no number of seconds that a handle has.
        long seconds = Math.max(0, until.getEpochSecond());
        return new Handle(snapshot.volume().provider(), "delete %s %d".formatted(snapshot, seconds));
    }

    /** @param phase how far it was when the handle was given; it decides nothing */
    record Copy(EbsCopies.Wanted wanted, EbsCopies.Phase phase) implements EbsHandles {}

    static Handle ofCopy(EbsCopies.Wanted wanted, EbsCopies.Phase phase) {
        var token = "copy %s %s %s %d %s %s"
                .formatted(
                        wanted.id(),
                        wanted.region(),
                        wanted.source(),
                        wanted.sizeBytes(),
                        wanted.key().orElse(NO_KEY),
                        phase.name());
        return new Handle(wanted.id().volume().provider(), token);
    }

    /** @throws IllegalArgumentException where it is none of ours */
    static EbsHandles parse(Handle handle) {
        var words = handle.token().split(" ", -1);
        if (words.length == 3 && words[0].equals("clone")) {
            return new Clone(new CloneRequest(SnapshotId.parse(words[2]), new VolumeId(words[1])));
        }
        if (words.length == 3 && words[0].equals("delete") && words[2].matches("[0-9]{1,12}")) {
            return new Delete(SnapshotId.parse(words[1]), Instant.ofEpochSecond(Long.parseLong(words[2])));
        }
        if (words.length == 7 && words[0].equals("copy") && words[4].matches("[0-9]{1,18}")) {
            var key = Optional.of(words[5]).filter(word -> !word.equals(NO_KEY));
            var wanted =
                    new EbsCopies.Wanted(SnapshotId.parse(words[1]), words[2], words[3], Long.parseLong(words[4]), key);
            return new Copy(wanted, EbsCopies.Phase.valueOf(words[6]));
        }
        throw new IllegalArgumentException("no handle of provider ebs: " + handle);
    }
}
